/* The rows of packets.tsv: of all that a run writes these are the most, so
 * they are formatted in place, and what packets of one connection have in
 * common, names and endpoints, is formatted once.
 */
#ifndef HALFOPEN_RUNTIME_PACKET_ROWS_H
#define HALFOPEN_RUNTIME_PACKET_ROWS_H

#include "models/trace/recorder.h"
#include "scenarios/runtime/outfile.h"

#define PACKET_COLUMNS                                                                             \
    "packet\tsent\tended\tfrom\tto\tlink\tsrc\tdst\tproto\tflags\tseq\tack\tlen\twin\toptions\t"   \
    "fate\tstory\tconn\tcopy_of\tip_len\tip_id\tttl\tecn\tfrag\traw_seq\traw_ack\tmarks\twhy\n"

typedef struct PacketRows PacketRows;

PacketRows *packet_rows_new(const Recorder *recorder); /* borrows */
void packet_rows_free(PacketRows *rows);
void packet_rows_write(PacketRows *rows, OutFile *out, const TracePacket *entry);

#endif
