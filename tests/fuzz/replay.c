/* replay.c - run a fuzz target over the files of directories, without a fuzzer.
 *
 *   replay_fuzz_json tests/fuzz/corpus/json [FILE-OR-DIRECTORY ...]
 *
 * Linked with one fuzz_*.c, so that its corpus is a test under any compiler. A finding
 * ends the process as it does under the fuzzer; the file is named first, on standard
 * error, if the environment has REPLAY_VERBOSE. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t replayed;

static int replay_file(const char *path)
{
    if (getenv("REPLAY_VERBOSE") != NULL)
        fprintf(stderr, "%s\n", path);
    FILE *file = fopen(path, "rb");
    struct stat st;
    if (file == NULL || fstat(fileno(file), &st) != 0) {
        perror(path);
        return 1;
    }
    /* Exactly as large as the file: a sanitizer sees a read past the end. */
    size_t size = (size_t)st.st_size;
    uint8_t *data = malloc(size == 0 ? 1 : size);
    int failed = data == NULL || fread(data, 1, size, file) != size;
    fclose(file);
    if (failed)
        perror(path);
    else
        LLVMFuzzerTestOneInput(data, size);
    free(data);
    replayed++;
    return failed;
}

static int replay(const char *path)
{
    struct dirent **entries;
    int failed = 0;
    int n = scandir(path, &entries, NULL, alphasort);

    if (n < 0)
        return replay_file(path);
    for (int i = 0; i < n; i++) {
        char file[4096];
        snprintf(file, sizeof(file), "%s/%s", path, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.')
            failed |= replay_file(file);
        free(entries[i]);
    }
    free(entries);
    return failed;
}

int main(int argc, char **argv)
{
    int failed = 0;
    for (int i = 1; i < argc; i++)
        failed |= replay(argv[i]);
    printf("%zu inputs\n", replayed);
    return failed || replayed == 0 ? 1 : 0;
}
