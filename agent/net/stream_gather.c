/* What several streams have to say leaves together: sockets that are written one after the other take less
 * time than with other work between them. */
#include "agent/net/stream_inside.h"

void net_gather(struct net *net, bool is_gathering)
{
    net->is_gathering = is_gathering;
    if (!is_gathering) {
        net_send_gathered(net);
    }
}

bool net_has_gathered(const struct net *net)
{
    return net->gathered_count > 0;
}

void net_send_gathered(struct net *net)
{
    const uint64_t set_ns = net->now_ns;
    const uint8_t *at = net->gathered_bytes.data;

    if (net->gathered_count == 0) {
        return;
    }
    net->now_ns = clock_now_ns();
    for (size_t i = 0; i < net->gathered_count; i++) {
        const struct net_gathered *gathered = &net->gathered[i];
        if (gathered->stream != NULL) {
            stream_send_gathered(gathered->stream, bytes_of(at, gathered->size));
        }
        at += gathered->size;
    }
    net->now_ns = set_ns;
    net->gathered_count = 0;
    buffer_clear(&net->gathered_bytes);
}

bool stream_gather(struct stream *stream, struct bytes data)
{
    struct net *net = stream->net;

    if (!stream->is_patient || !net->is_gathering) {
        return false;
    }
    if (net->gathered_count == NET_GATHERED_MAX) {
        net_send_gathered(net);
    }
    if (!buffer_append(&net->gathered_bytes, data.data, data.size)) {
        return false; /* there is too much of it: goes out at once, after what it has said before */
    }
    net->gathered[net->gathered_count++] = (struct net_gathered){.stream = stream, .size = data.size};
    stream->gathered_size += data.size;
    return true;
}

void stream_forget_gathered(struct stream *stream)
{
    struct net *net = stream->net;

    for (size_t i = 0; stream->gathered_size > 0 && i < net->gathered_count; i++) {
        if (net->gathered[i].stream == stream) {
            net->gathered[i].stream = NULL;
            stream->gathered_size -= net->gathered[i].size;
        }
    }
}
