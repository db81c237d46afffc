/* How many files this process may hold open. */
#pragma once

/* As many as it may allow itself: each connection is one. */
void file_limit_raise(void);
