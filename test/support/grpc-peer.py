"""gRPC's own implementation in C, as a server and as a client: its messages are bytes, as in grpc.ts.

serve             prints its port, and serves until its standard input ends
call PORT         makes one call of each kind, and prints how they ended as JSON
"""

import json
import sys
import threading
from concurrent import futures

import grpc


def unary(request, context):
    metadata = dict(context.invocation_metadata())
    wanted = metadata.get('wanted-status')
    if wanted is not None:
        context.set_trailing_metadata((('served-by', 'python'),))
        code = next(one for one in grpc.StatusCode if one.value[0] == int(wanted))
        context.abort(code, 'kaput: 100 % für immer')
    context.send_initial_metadata((('echo-text', metadata.get('echo-text', '')),))
    context.set_trailing_metadata((('served-by', 'python'), ('echo-bin', metadata.get('echo-bin', b''))))
    return request


def collect(requests, _context):
    return b''.join(requests)


def count(request, _context):
    for index in range(int.from_bytes(request[:4], 'big')):
        yield bytes([index % 256]) * int.from_bytes(request[4:], 'big')


def chat(requests, _context):
    yield from requests


handlers = {
    'Unary': grpc.unary_unary_rpc_method_handler(unary),
    'Collect': grpc.stream_unary_rpc_method_handler(collect),
    'Count': grpc.unary_stream_rpc_method_handler(count),
    'Chat': grpc.stream_stream_rpc_method_handler(chat),
}


def serve():
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler('test.Echo', handlers),))
    port = server.add_insecure_port('127.0.0.1:0')
    server.start()
    print(port, flush=True)
    sys.stdin.read()
    server.stop(None)


def call(port):
    ended = {}
    channel = grpc.insecure_channel(f'127.0.0.1:{port}', (('grpc.enable_retries', 0),))
    ask = channel.unary_unary('/test.Echo/Unary')
    metadata = (('echo-text', 'a  b, c'), ('echo-bin', bytes([0, 255, 128])))
    answer, one = ask.with_call(b'hello', metadata=metadata, timeout=30)
    headers, trailers = dict(one.initial_metadata()), dict(one.trailing_metadata())
    ended['unary'] = [answer.decode(), one.code().name, headers['echo-text'], list(trailers['echo-bin'])]
    try:
        ask(b'hello', metadata=(('wanted-status', '9'),))
    except grpc.RpcError as error:
        ended['failed'] = [error.code().name, error.details()]
    try:
        channel.unary_unary('/test.Echo/Nothing')(b'')
    except grpc.RpcError as error:
        ended['nothing'] = error.code().name
    ended['collected'] = channel.stream_unary('/test.Echo/Collect')(iter([b'a', b'bc', b'def'])).decode()
    sizes = (20).to_bytes(4, 'big') + (300_000).to_bytes(4, 'big')
    ended['counted'] = [[part[0], len(part)] for part in channel.unary_stream('/test.Echo/Count')(sizes)]
    replies = []
    arrived = threading.Semaphore(0)

    def ask_in_turn():
        for word in (b'one', b'two', b'three'):
            yield word
            arrived.acquire()

    for reply in channel.stream_stream('/test.Echo/Chat')(ask_in_turn()):
        replies.append(reply.decode())
        arrived.release()
    ended['chatted'] = replies
    print(json.dumps(ended), flush=True)


if sys.argv[1] == 'serve':
    serve()
else:
    call(sys.argv[2])
