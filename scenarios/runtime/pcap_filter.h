/* pcap filter expressions ("tcp[13] & 2 != 0 and port 80"), compiled by
 * libpcap and run on the packet as rendered bytes. The library is loaded when
 * the first expression asks for it: most runs never do.
 */
#ifndef HALFOPEN_RUNTIME_PCAP_FILTER_H
#define HALFOPEN_RUNTIME_PCAP_FILTER_H

#include "models/packet/packet.h"

typedef struct PcapFilter PcapFilter;

/* NULL with *error (g_free). */
PcapFilter *pcap_filter_new(const char *expression, char **error);
void pcap_filter_free(PcapFilter *filter);
bool pcap_filter_matches(const PcapFilter *filter, const PacketPool *pool, const Packet *packet);

#endif
