/* sleep: the smallest server there is. It waits for a signal, whatever its arguments. */
#include <unistd.h>

int main(void)
{
    for (;;)
        pause();
}
