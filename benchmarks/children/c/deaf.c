/* deaf: a server that only SIGKILL ends. */
#include <signal.h>
#include <unistd.h>

int main(void)
{
    const int ignored[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT};
    for (unsigned i = 0; i < sizeof ignored / sizeof *ignored; i++)
        signal(ignored[i], SIG_IGN);
    for (;;)
        pause();
}
