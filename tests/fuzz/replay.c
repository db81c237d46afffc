/* Runs a fuzz target without a fuzzer: on every file of a corpus, then on so many mutations of them from a
 * fixed seed. fuzz_NAME CORPUS MUTATIONS */
#include "fuzz.h"

#include "common/memory.h"
#include "common/random.h"

#include <dirent.h>
#include <string.h>

#define MAX_FILES 200
#define MAX_BYTES 65536u
#define SEED 20240229u

struct file {
    uint8_t *data;
    size_t size;
};

struct corpus {
    struct file files[MAX_FILES];
    size_t count;
};

static void load(struct corpus *corpus, const char *directory, const char *name)
{
    struct file *file = &corpus->files[corpus->count++];
    char *path = memory_format("%s/%s", directory, name);
    FILE *stream = fopen(path, "rb");
    FUZZ_CHECK(stream != NULL);
    file->data = memory_new(1, MAX_BYTES);
    file->size = fread(file->data, 1, MAX_BYTES, stream);
    (void)fclose(stream);
    memory_free(path);
}

static int is_file(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* In the order of names, so that the mutations are the same everywhere. */
static void load_all(struct corpus *corpus, const char *directory)
{
    struct dirent **entries = NULL;
    int count = scandir(directory, &entries, is_file, alphasort);
    FUZZ_CHECK(count > 0 && count <= MAX_FILES);
    for (int i = 0; i < count; i++) {
        load(corpus, directory, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
}

static void overwrite(struct random *random, struct file *input)
{
    static const uint8_t INTERESTING[] = {0, 1, 2, 0x0a, 0x7f, 0x80, 0xff, '{', 's', 'i', 'n'};
    if (input->size > 0) {
        input->data[random_below(random, input->size)] =
            INTERESTING[random_below(random, sizeof INTERESTING)];
    }
}

static void flip(struct random *random, struct file *input)
{
    if (input->size > 0) {
        input->data[random_below(random, input->size)] ^= (uint8_t)(1u << random_below(random, 8));
    }
}

static void erase(struct random *random, struct file *input)
{
    if (input->size > 0) {
        size_t at = random_below(random, input->size);
        size_t length = 1 + random_below(random, input->size - at < 16 ? input->size - at : 16);
        memmove(input->data + at, input->data + at + length, input->size - at - length);
        input->size -= length;
    }
}

/* Copies a piece of another file over, or into, this one. */
static void splice(struct random *random, struct file *input, const struct file *other)
{
    if (other->size == 0 || input->size + other->size > MAX_BYTES) {
        return;
    }
    size_t from = random_below(random, other->size);
    size_t length = 1 + random_below(random, other->size - from);
    size_t at = random_below(random, input->size + 1);
    memmove(input->data + at + length, input->data + at, input->size - at);
    memcpy(input->data + at, other->data + from, length);
    input->size += length;
}

static void mutate(struct random *random, const struct corpus *corpus, struct file *input)
{
    for (uint64_t changes = 1 + random_below(random, 4); changes > 0; changes--) {
        switch (random_below(random, 5)) {
        case 0:
        case 1:
            overwrite(random, input);
            break;
        case 2:
            flip(random, input);
            break;
        case 3:
            erase(random, input);
            break;
        default:
            splice(random, input, &corpus->files[random_below(random, corpus->count)]);
            break;
        }
    }
}

/* In memory of exactly its size, so that AddressSanitizer sees a byte too far. */
static void run(const struct file *input)
{
    uint8_t *exact = memory_new(1, input->size);
    memcpy(exact, input->data, input->size);
    (void)LLVMFuzzerTestOneInput(exact, input->size);
    memory_free(exact);
}

int main(int argc, char **argv)
{
    static struct corpus corpus;
    static uint8_t scratch[MAX_BYTES];
    if (argc != 3) {
        fprintf(stderr, "usage: %s CORPUS MUTATIONS\n", argv[0]);
        return 2;
    }
    load_all(&corpus, argv[1]);
    for (size_t i = 0; i < corpus.count; i++) {
        run(&corpus.files[i]);
    }
    unsigned long mutations = strtoul(argv[2], NULL, 10);
    for (unsigned long i = 0; i < mutations; i++) {
        struct random random;
        random_seed(&random, SEED + i);
        const struct file *origin = &corpus.files[random_below(&random, corpus.count)];
        struct file input = {.data = scratch, .size = origin->size};
        memcpy(scratch, origin->data, origin->size);
        mutate(&random, &corpus, &input);
        run(&input);
    }
    for (size_t i = 0; i < corpus.count; i++) {
        memory_free(corpus.files[i].data);
    }
    return 0;
}
