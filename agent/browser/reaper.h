/* The reaper: a process that starts one driver, and outlives both the driver and the process that started
 * the reaper for just as long as it takes to kill all descendants of the driver and to remove its folder.
 *
 * `tutti reaper KIND TIMEOUT_MS PROGRAM WALLS READABLE RUNNABLE` has a SOCK_SEQPACKET socket as descriptor 3,
 * and puts the driver behind walls (walls.h) if WALLS says so. It reports on the socket, in packets of at
 * most REAPER_PACKET_BYTES whose first byte is their kind,
 *
 *   R  PORT FOLDER      the driver answers
 *   E  WHY\nLOG         it has ended, or was never ready; LOG is the end of its output
 *   U  COUNT BYTES US   the answer to U: processes, proportional set size, CPU time
 *
 * and exits when nothing is left. It receives U, and ends when the other side closes the socket. A driver
 * whose reaper was killed is killed by the next reaper; `tutti reaper sweep` does only that. */
#pragma once

#define REAPER_SOCKET 3
#define REAPER_PACKET_BYTES 4096u
#define REAPER_READY 'R'
#define REAPER_ENDED 'E'
#define REAPER_USAGE 'U'
#define REAPER_SWEEP "sweep"
#define REAPER_WALLED "walled"
#define REAPER_OPEN "open"

/* argv[0] is "reaper". */
int reaper_main(int argc, char **argv);
