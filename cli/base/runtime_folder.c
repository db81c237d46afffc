/* The folder in which running processes leave files for others of the same user. */
#include "cli/base/runtime_folder.h"
#include "common/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RUNTIME_FOLDER_NAME "tutti"
#define RUNTIME_FOLDER_MODE 0700
#define OTHERS_MAY_WRITE 0022u
#define OTHERS_MAY_LOOK 0077u

/* systemd gives a list, of which the first entry is ours. */
static char *runtime_folder_of_systemd(void)
{
    const char *list = getenv("RUNTIME_DIRECTORY");
    return list != NULL && *list == '/' ? memory_format("%.*s", (int)strcspn(list, ":"), list) : NULL;
}

/* Also checked after `sudo`, which may keep the variable of another user. */
static char *runtime_folder_of_session(void)
{
    const char *session = getenv("XDG_RUNTIME_DIR");
    struct stat facts;
    bool is_ours = session != NULL && *session == '/' && stat(session, &facts) == 0 &&
                   S_ISDIR(facts.st_mode) && facts.st_uid == geteuid();
    return is_ours ? memory_format("%s/" RUNTIME_FOLDER_NAME, session) : NULL;
}

static char *runtime_folder_of_user(void)
{
    return memory_format("/tmp/" RUNTIME_FOLDER_NAME "-%u", (unsigned)geteuid());
}

void runtime_folder_places(char *places[RUNTIME_FOLDERS])
{
    places[0] = runtime_folder_of_systemd();
    places[1] = runtime_folder_of_session();
    places[2] = memory_format("/run/user/%u/" RUNTIME_FOLDER_NAME, (unsigned)geteuid());
    places[3] = memory_copy_string("/run/" RUNTIME_FOLDER_NAME);
    places[4] = runtime_folder_of_user();
}

/* A folder that someone else created first, or a link to one, is refused. */
static bool runtime_folder_check(int folder, const char *path, unsigned forbidden, struct error *error)
{
    struct stat facts;
    if (fstat(folder, &facts) != 0) {
        return error_set_system(error, errno, "cannot look at %s", path);
    }
    if (facts.st_uid != geteuid()) {
        return error_set(error, "%s belongs to another user", path);
    }
    if ((facts.st_mode & forbidden) != 0) {
        return error_set(error, "%s is open to others (mode %04o): chmod 700 it", path,
                         (unsigned)facts.st_mode & 07777u);
    }
    return true;
}

int runtime_folder_open(char **path, struct error *error)
{
    char *of_systemd = runtime_folder_of_systemd();
    unsigned forbidden = of_systemd != NULL ? OTHERS_MAY_WRITE : OTHERS_MAY_LOOK;
    char *place = of_systemd != NULL ? of_systemd : runtime_folder_of_session();
    if (place == NULL && geteuid() == 0) {
        place = memory_copy_string("/run/" RUNTIME_FOLDER_NAME);
    }
    place = place != NULL ? place : runtime_folder_of_user();
    int folder = -1;
    if (mkdir(place, RUNTIME_FOLDER_MODE) != 0 && errno != EEXIST) {
        (void)error_set_system(error, errno, "cannot create %s", place);
    } else if ((folder = open(place, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) < 0) {
        (void)error_set_system(error, errno, "cannot open %s", place);
    } else if (!runtime_folder_check(folder, place, forbidden, error)) {
        (void)close(folder);
        folder = -1;
    }
    if (folder < 0) {
        memory_free(place);
        return -1;
    }
    *path = place;
    return folder;
}
