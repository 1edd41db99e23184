/* Maps, grows, shrinks and unmaps memory without end, side by side; ends with 1 when the kernel says no. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define SLOTS 24
#define PAGE 4096UL

int main(void)
{
	char *at[SLOTS] = { 0 };
	size_t size[SLOTS];

	for (;;) {
		int slot = rand() % SLOTS;
		size_t wanted = (1 + rand() % 60) * PAGE;

		if (!at[slot]) {
			at[slot] = mmap(NULL, wanted, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		} else if (rand() % 3) {
			at[slot] = mremap(at[slot], size[slot], wanted, MREMAP_MAYMOVE);
		} else if (munmap(at[slot], size[slot]) == 0) {
			at[slot] = NULL;
			continue;
		}
		if (at[slot] == MAP_FAILED) {
			perror("remap");
			return 1;
		}
		size[slot] = wanted;
		at[slot][0] = 1;
	}
}
