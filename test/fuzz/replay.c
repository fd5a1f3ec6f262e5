/*-------------------------------------------------------------------------
 *
 * replay.c
 *	  Feeds files to a target, one after the other: what libFuzzer's main()
 *	  does without searching.
 *
 *-------------------------------------------------------------------------
 */
#include "fuzz.h"

#undef fopen
#undef printf

extern int	LLVMFuzzerTestOneInput(const uint8 *data, size_t size);

int
main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
	{
		FILE	   *file = fopen(argv[i], "rb");
		char	   *data;
		long		size;

		fuzz_must(file != NULL && fseek(file, 0, SEEK_END) == 0);
		size = ftell(file);
		rewind(file);
		data = malloc(Max(size, 1));
		fuzz_must(fread(data, 1, size, file) == size);
		fclose(file);
		LLVMFuzzerTestOneInput((uint8 *) data, size);
		free(data);
	}
	return 0;
}
