/* The warden: a process that starts one driver, and outlives it and whoever started the warden for just as
 * long as it takes to end all that the driver has begotten and to remove the folder that it had.
 *
 * `tutti warden KIND TIMEOUT_MS PROGRAM WALLS READABLE RUNNABLE` has a SOCK_SEQPACKET socket as descriptor 3,
 * and puts up walls (walls.h) between itself and the driver where WALLS says so. It says there, in
 * packets of at most WARDEN_PACKET_BYTES whose first byte is their kind, R  PORT FOLDER      the driver
 * answers E  WHY\nLOG         it has ended, or never was ready; LOG is the end of what it printed U  COUNT
 * BYTES US   what U asked for: processes, proportional set size, CPU time and goes when nothing is left. It
 * is told U, and to end by the end of the other side. A driver that a warden leaves behind because it was
 * killed itself is ended by the next one; `tutti warden sweep` does only that. */
#pragma once

#define WARDEN_SOCKET 3
#define WARDEN_PACKET_BYTES 4096u
#define WARDEN_READY 'R'
#define WARDEN_ENDED 'E'
#define WARDEN_USAGE 'U'
#define WARDEN_SWEEP "sweep"
#define WARDEN_WALLED "walled"
#define WARDEN_OPEN "open"

/* argv[0] is "warden". */
int warden_main(int argc, char **argv);
