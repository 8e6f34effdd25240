/* limit GRACE_MS COUNT PROGRAM ARG...: the same as limit.py, in C. Without grace (0) it never kills. */
#define _GNU_SOURCE
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <sys/wait.h>

extern char **environ;
static pid_t running[100000];
static int count;
static volatile sig_atomic_t stopping;
static struct itimerval grace;

static void stop(int number)
{
    stopping = 1;
    for (int i = 0; i < count; i++)
        if (running[i] > 0)
            kill(running[i], number == SIGALRM ? SIGKILL : number);
    if (number != SIGALRM)
        setitimer(ITIMER_REAL, &grace, NULL);
}

static pid_t start(char **argv)
{
    static posix_spawnattr_t attr;
    static int made;
    pid_t pid;
    if (!made) {
        posix_spawnattr_init(&attr);
        posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSID);
        made = 1;
    }
    return posix_spawn(&pid, argv[0], NULL, &attr, argv, environ) ? -1 : pid;
}

int main(int argc, char **argv)
{
    int left;
    if (argc < 4 || atoi(argv[2]) > 100000)
        return 2;
    grace.it_value.tv_sec = atoi(argv[1]) / 1000;
    grace.it_value.tv_usec = atoi(argv[1]) % 1000 * 1000;
    signal(SIGTERM, stop);
    signal(SIGALRM, stop);
    for (left = atoi(argv[2]); count < left; count++)
        running[count] = start(argv + 3);
    while (left > 0) {
        pid_t pid = wait(NULL);
        for (int i = 0; pid > 0 && i < count; i++)
            if (running[i] == pid) {
                running[i] = stopping ? (left--, 0) : start(argv + 3);
                break;
            }
    }
    return 0;
}
