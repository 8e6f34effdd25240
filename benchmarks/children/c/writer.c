/* writer READY GATE BLOCKS: says that it is there, waits for the gate to open, writes, then stays.

   A block is 40 lines of 100 bytes. children/writer.py is the same without a compiler. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINES 40
#define LINE 100

int main(int argc, char **argv)
{
    static char block[LINES * LINE + 1];
    long left;
    if (argc != 4)
        return 2;
    for (int i = 0; i < LINES; i++) {
        char *line = block + i * LINE;
        sprintf(line, "%02d ", i);
        memset(line + 3, 'x', LINE - 4);
        line[LINE - 1] = '\n';
    }
    close(open(argv[1], O_WRONLY | O_CREAT, 0600));
    open(argv[2], O_RDONLY);
    for (left = atol(argv[3]); left > 0; left--)
        for (size_t done = 0; done < LINES * LINE;) {
            ssize_t count = write(1, block + done, LINES * LINE - done);
            if (count < 0)
                return 1;
            done += (size_t)count;
        }
    for (;;)
        pause();
}
