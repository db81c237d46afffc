/* write(2) until nothing is left. */
#include "common/write_all.h"

#include <errno.h>
#include <unistd.h>

bool write_all(int descriptor, struct bytes bytes)
{
    for (size_t done = 0; done < bytes.size;) {
        ssize_t written = write(descriptor, bytes.data + done, bytes.size - done);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            errno = written < 0 ? errno : ENOSPC;
            return false;
        }
        done += (size_t)written;
    }
    return true;
}
