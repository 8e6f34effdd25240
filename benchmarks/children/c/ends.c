/* ends: a command that has nothing to do. */
int main(void)
{
    return 0;
}
