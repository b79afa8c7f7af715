# A WebSocket server and client of another make. `serve` prints its port and echoes; `ask URL` says what it has seen, as JSON.
import asyncio, json, sys
import websockets

options = dict(max_size=None, max_queue=4, ping_interval=None, close_timeout=60)
sizes = [0, 1, 125, 126, 65535, 65536, 1 << 20, 1 << 24]


async def echo(socket):
    if socket.path == "/close":
        await socket.close(4001, "of the server")
        return
    try:
        async for message in socket:
            await socket.send(message)
    except websockets.ConnectionClosed:
        pass


async def serve():
    server = await websockets.serve(echo, "127.0.0.1", 0, **options)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


async def ask(url, one_large):
    seen = {}
    for compression in ["deflate", None]:
        async with websockets.connect(url, compression=compression, **options) as socket:
            same = []
            for size in sizes if one_large and compression is None else sizes[:-1]:
                await socket.send(b"\x00\xff" * (size // 2) + b"x" * (size % 2))
                same.append(len(await socket.recv()) == size)
                if size >= 1 << 20:
                    continue
                text = "h\u00e9"[: size % 2 + 1] * (size // 2)
                await socket.send(text)
                same.append(await socket.recv() == text)
            await socket.send(["a", "b", "", "c"])
            same.append(await socket.recv() == "abc")
            await (await socket.ping(b"p" * 125))
            extensions = [type(one).__name__ for one in socket.extensions]
            await socket.close(3456, "of the client")
        seen[str(compression)] = dict(same=all(same), extensions=extensions, code=socket.close_code, reason=socket.close_reason)
    async with websockets.connect(url + "/close", **options) as socket:
        await socket.wait_closed()
    seen["closed"] = [socket.close_code, socket.close_reason]
    print(json.dumps(seen))


asyncio.run(serve() if sys.argv[1] == "serve" else ask(sys.argv[2], sys.argv[3] == "large"))
