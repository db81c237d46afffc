/* The version, and a sum over the sources that the coordinator's core is made of: only who has the same can
 * go on from a journal. */
#pragma once

extern const char journal_identity[];
