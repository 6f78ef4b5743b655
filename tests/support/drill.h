/* packetdrill's side of the door: loads the plug-in as packetdrill does and plays
 * the remote host. Segments are written by hand, byte by byte; sequence numbers
 * are absolute, those of the remote begin at 1000.
 */
#ifndef HALFOPEN_TESTS_SUPPORT_DRILL_H
#define HALFOPEN_TESTS_SUPPORT_DRILL_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

#include "scenarios/packetdrill/interface.h"

enum {
    FIN = 0x01,
    SYN = 0x02,
    RST = 0x04,
    PSH = 0x08,
    ACK = 0x10,
    LOCAL = 0xc0a80001,
    REMOTE = 0xc0000201,
};

typedef struct Segment {
    uint16_t sport, dport, wnd;
    uint8_t flags;
    uint32_t seq, ack;
    size_t len;
    long long at_us;
} Segment;

typedef struct Drill {
    void *object;
    PacketdrillInterface door;
} Drill;

#define CALL(drill, name, ...) ((drill)->door.name((drill)->door.userdata, ##__VA_ARGS__))

Drill drill_open(const char *flags); /* of --so_flags */
void drill_close(Drill *drill);

/* A segment from the remote side, without options; its data are the letter x. */
void drill_send(Drill *drill, Segment segment);
/* The next that the host sends, with these flags and so many bytes of data. */
Segment drill_expect(Drill *drill, uint8_t flags, size_t len);
/* Nothing leaves within so much virtual time. */
void drill_expect_silence(Drill *drill, unsigned us);

struct sockaddr_in drill_address(uint32_t ip, uint16_t port);
long long drill_now(Drill *drill); /* us */
int drill_listen(Drill *drill, uint16_t port);
/* A connection from port 40000 to `port`, its numbers as the remote sees them. */
Segment drill_handshake(Drill *drill, uint16_t port);
/* The same, accepted. */
int drill_accept(Drill *drill, Segment *remote);

#endif
