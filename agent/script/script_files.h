/* The files that a script may require and read: those of its bundle, or, while a bundle is being created, of
 * its folder. */
#pragma once
#include "common/attributes.h"
#include "common/error.h"
#include "proto/message/owned_bundle.h"

struct script_files;

/* Reads from a bundle, which has to outlive it. */
MUST_CHECK struct script_files *script_files_of_bundle(const struct bundle *bundle);
/* Reads from the folder of `script_path` and keeps what was read, the script first. */
MUST_CHECK struct script_files *script_files_of_folder(const char *script_path, struct error *error);
void script_files_free(struct script_files **files);

/* The script's own name within the bundle. */
const char *script_files_main(const struct script_files *files);
/* The content of a relative path, borrowed from `files`; false with an error like "x.txt: no such file in the
 * bundle". */
MUST_CHECK bool script_files_read(struct script_files *files, const char *path, struct bytes *content,
                                  struct error *error);
/* Returns what was read as a bundle with its hash. */
void script_files_take_bundle(struct script_files *files, struct owned_bundle *bundle);
