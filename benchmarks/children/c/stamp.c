/* stamp FILE [stay]: writes down when it began, then ends at once, or stays until a signal ends it.
 *
 * A line is 32 bytes, "NANOSECONDS PID\n" of the monotonic clock. So whoever waits for many of these need not look
 * for them in /proc, which would take the longer the more there are.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct timespec now;
    char line[40];
    int fd;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (argc < 2 || (fd = open(argv[1], O_WRONLY | O_APPEND | O_CLOEXEC)) < 0)
        return 2;
    snprintf(line, sizeof line, "%020lld %010d\n", now.tv_sec * 1000000000LL + now.tv_nsec, (int)getpid());
    if (write(fd, line, 32) != 32)
        return 3;
    close(fd);
    while (argc > 2)
        pause();
    return 0;
}
