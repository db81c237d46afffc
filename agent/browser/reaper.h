/* The reaper: a process that starts one driver, and outlives it and whoever started the reaper for just as
 * long as it takes to end all that the driver has begotten and to remove the folder that it had.
 *
 * `tutti reaper KIND TIMEOUT_MS PROGRAM WALLS READABLE RUNNABLE` has a SOCK_SEQPACKET socket as descriptor 3,
 * and puts up walls (walls.h) between itself and the driver where WALLS says so. It says there, in
 * packets of at most WARDEN_PACKET_BYTES whose first byte is their kind, R  PORT FOLDER      the driver
 * answers E  WHY\nLOG         it has ended, or never was ready; LOG is the end of what it printed U  COUNT
 * BYTES US   what U asked for: processes, proportional set size, CPU time and goes when nothing is left. It
 * is told U, and to end by the end of the other side. A driver that a reaper leaves behind because it was
 * killed itself is ended by the next one; `tutti reaper sweep` does only that. */
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
