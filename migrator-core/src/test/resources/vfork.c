/* Says which child it has that runs in its memory; both end with their standard input. */
#include <stdio.h>
#include <unistd.h>

int main(void)
{
	char text[32], end;

	if (vfork() == 0) {
		if (write(1, text, snprintf(text, sizeof text, "%d\n", getpid())) < 0 || read(0, &end, 1) < 0)
			_exit(1);
		_exit(0);
	}
	return 0;
}
