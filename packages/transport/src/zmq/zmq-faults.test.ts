import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { encode, type Listener, type ListenHandlers } from '@tutti/protocol';
import { createSimulatedClock, TuttiError } from '@tutti/runtime';
import { Dealer, Router } from 'zeromq';
import { pull, versionOf, weights } from '../compliance.js';
import { createZmqTransport, type ZmqTransportOptions } from './zmq-transport.js';

const anywhere = 'tcp://127.0.0.1:0';

/** A listener that writes down what happens and lets the test await it. */
async function watch(options: ZmqTransportOptions = {}) {
  const events: [kind: string, peer: string, about: unknown][] = [];
  let wake = () => {};
  const note = (kind: string, peer: string, about: unknown) => {
    events.push([kind, peer, about]);
    wake();
  };
  const handlers: ListenHandlers = {
    message: (peer, { message }) => note('message', peer, versionOf(message)),
    closed: (peer, reason) => note('closed', peer, reason),
    badFrame: (peer, reason) => note('badFrame', peer, reason),
    stranger: (reason) => note('stranger', 'nobody', reason),
  };
  const listener = await createZmqTransport(options).listen(anywhere, handlers);
  const port = Number(listener.address.split(':').at(-1));
  return {
    listener,
    port,
    events,
    async until(kind: string, about?: unknown) {
      const found = () =>
        events.find((event) => event[0] === kind && (about === undefined || event[2] === about));
      while (found() === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return found()!;
    },
  };
}

/** Somebody who behaves: has something to say and is heard. */
async function heard(watched: Awaited<ReturnType<typeof watch>>, version: number) {
  const connection = createZmqTransport().connect(watched.listener.address, { message() {} });
  connection.send(pull(version));
  await watched.until('message', version);
  await connection.close(0);
}

function startPeer(body: string): ChildProcess {
  const script = `
    const { createZmqTransport } = await import(${JSON.stringify(new URL('./zmq-transport.ts', import.meta.url))});
    const { pull, weights } = await import(${JSON.stringify(new URL('../compliance.ts', import.meta.url))});
    ${body}`;
  return spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

describe('the ZeroMQ transport with faults', () => {
  it('a listener that is closed by what a peer says hears no more of what came with it', async () => {
    const versions: number[] = [];
    let closed = () => {};
    const ended = new Promise<void>((resolve) => {
      closed = resolve;
    });
    const listener: Listener = await createZmqTransport().listen(anywhere, {
      message(_, { message }) {
        versions.push(versionOf(message));
        // Before the next one of the same batch is looked at.
        void listener.close().then(closed);
      },
    });
    const peer = new Dealer({ linger: 0 });
    peer.connect(listener.address);
    const [first, second] = [pull(2), pull(3)].map((envelope) => encode(envelope)[0]!);
    await peer.send([Uint8Array.of(4, 1, 1), first!, second!]);
    await ended;
    assert.deepEqual(versions, [2]);
    peer.close();
  });

  it('noise on the port harms nobody', async () => {
    const watched = await watch();
    for (const noise of [
      'GET / HTTP/1.1\r\n\r\n',
      '\xff'.repeat(2000),
      '\x00'.repeat(2000),
      '\x01',
    ]) {
      const socket = connect(watched.port, '127.0.0.1');
      socket.on('error', () => {});
      await once(socket, 'connect');
      await new Promise((resolve) => socket.end(Buffer.from(noise, 'latin1'), () => resolve(0)));
      await heard(watched, noise.length);
    }
    await watched.listener.close();
  });

  const foreign: [string, (Uint8Array | string)[]][] = [
    ['text', ['hello']],
    ['three frames', [...encode(pull(1)), '1234', '1234']],
    ['a payload where none belongs', [...encode(pull(1)), '1234']],
    ['a payload of six bytes', [encode(weights(1, 1, 1))[0]!, '123456']],
  ];
  for (const [what, frames] of foreign) {
    it(`a peer that sends ${what} is cut off, others are not affected`, async () => {
      const watched = await watch();
      const peer = new Dealer({ linger: 0 });
      peer.connect(watched.listener.address);
      await peer.send(frames);
      await peer.send(encode(pull(13)));
      const [, name, reason] = await watched.until('badFrame');
      assert.ok(String(reason).length > 0);
      assert.deepEqual((await watched.until('closed'))[1], name);
      const [farewell] = await peer.receive();
      assert.match(String(farewell), /cut it off/);
      // The same socket goes on in vain: what it sends before this one's message is dropped.
      for (let i = 0; i < 100; i++) await peer.send(encode(pull(13)));
      await heard(watched, 1);
      peer.close();
      await watched.listener.close();
      assert.equal(watched.events.filter(([kind]) => kind === 'closed').length <= 2, true);
      assert.ok(!watched.events.some(([kind, , about]) => kind === 'message' && about === 13));
    });
  }

  for (const [who, said] of [
    ['a web browser', 'GET / HTTP/1.1\r\nHost: there\r\n\r\n'],
    ['a TLS client', Buffer.from('16030100c8010000c40303', 'hex')],
    ['noise', Buffer.alloc(200, 0xff)],
    ['a port scan', ''],
  ] as const)
    it(`${who} on the port is told of, with the port, and harms nobody`, async () => {
      const watched = await watch();
      const socket = connect(watched.port, '127.0.0.1');
      socket.on('error', () => {});
      socket.end(said);
      const [, , reason] = await watched.until('stranger');
      assert.match(
        String(reason),
        new RegExp(
          `(does not speak|not shown that it speaks) the protocol of ZeroMQ connected to .*:${watched.port} \\(.+\\)$`,
        ),
      );
      await heard(watched, 1);
      socket.destroy();
      await watched.listener.close();
    });

  it('a stream of zeros is told of too, though libzmq says nothing of it; peers that come and go are not', async () => {
    const clock = createSimulatedClock();
    const watched = await watch({ clock });
    const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
    for (let version = 1; version <= 3; version++) {
      await heard(watched, version);
      const gone = () => watched.events.filter(([kind]) => kind === 'closed').length;
      while (gone() < version) await turn();
    }
    for (let second = 0; second < 30; second++) {
      await turn();
      clock.advance(1000);
    }
    assert.ok(!watched.events.some(([kind]) => kind === 'stranger'));
    const socket = connect(watched.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(Buffer.alloc(5000));
    let reason: unknown;
    void watched.until('stranger').then((event) => {
      reason = event[2];
    });
    while (reason === undefined) {
      await turn();
      clock.advance(100);
    }
    assert.match(String(reason), /connected to tcp:.* \(it sent .*: no handshake within 3 s\)$/);
    await heard(watched, 4);
    socket.destroy();
    await watched.listener.close();
  });

  it('a peer that sends an empty message leaves without harm', async () => {
    const watched = await watch();
    const peer = new Dealer({ linger: 0 });
    peer.connect(watched.listener.address);
    await peer.send('');
    await peer.send(encode(pull(1)));
    await watched.until('message', 1);
    await peer.send('');
    await watched.until('closed');
    await heard(watched, 2);
    peer.close();
    await watched.listener.close();
  });

  it('a payload above the limit costs its sender the connection', async () => {
    const watched = await watch({ maxPayloadBytes: 1_048_576 });
    const closed = new Promise<string>((resolve) => {
      const connection = createZmqTransport().connect(watched.listener.address, {
        message() {},
        closed: resolve,
      });
      connection.send(weights(1, 0, 262_144));
      connection.send(weights(2, 0, 262_145));
      connection.send(weights(3, 0, 1));
    });
    await watched.until('closed');
    assert.match(await closed, /lost/);
    await heard(watched, 4);
    const versions = watched.events.filter(([kind]) => kind === 'message').map((event) => event[2]);
    assert.deepEqual(versions, [1, 4]);
    await watched.listener.close();
  });

  it('a payload above the limit cannot be sent', async () => {
    const transport = createZmqTransport({ maxPayloadBytes: 4 });
    const connection = transport.connect(anywhere, { message() {} });
    assert.throws(() => connection.send(weights(1, 0, 2)), {
      code: 'INTERNAL',
      message: /8 bytes/,
    });
    await connection.close(0);
  });

  it('a connection ends if the other side speaks ZMTP but no Tutti', async () => {
    const router = new Router({ linger: 0 });
    await router.bind('tcp://127.0.0.1:*');
    const closed = new Promise<string>((resolve) => {
      createZmqTransport()
        .connect(router.lastEndpoint!, { message() {}, closed: resolve })
        .send(pull(1));
    });
    const [id] = await router.receive();
    await router.send([id!, 'what?']);
    assert.match(await closed, /no message of Tutti/);
    router.close();
  });

  it('a connection ends if the listener sends more than the limit', async () => {
    const router = new Router({ linger: 0 });
    await router.bind('tcp://127.0.0.1:*');
    let over = false;
    const transport = createZmqTransport({ maxPayloadBytes: 1_048_576 });
    const closed = new Promise<string>((resolve) => {
      const connection = transport.connect(router.lastEndpoint!, {
        message: () => assert.fail('nothing should get through'),
        closed(reason) {
          over = true;
          resolve(reason);
        },
      });
      const goOn = () => {
        connection.send(pull(1));
        if (!over) setImmediate(goOn);
      };
      goOn();
    });
    const [id] = await router.receive();
    await router.send([id!, ...encode(weights(1, 0, 262_145))]);
    assert.match(await closed, /lost/);
    router.close();
  });

  it('a connection that reaches nobody says so after its deadline', async () => {
    const transport = createZmqTransport({ connectDeadlineMs: 5, retryMs: 1 });
    const closed = new Promise<string>((resolve) => {
      transport.connect('tcp://127.0.0.1:9', { message() {}, closed: resolve });
    });
    assert.match(await closed, /tcp:\/\/127.0.0.1:9 could not be reached within 0.005 s/);
  });

  it('a connection to something silent says so after its deadline', async () => {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const transport = createZmqTransport({ connectDeadlineMs: 5 });
    const closed = new Promise<string>((resolve) => {
      transport.connect(`tcp://127.0.0.1:${port}`, { message() {}, closed: resolve });
    });
    assert.match(await closed, /could not be reached/);
    server.close();
  });

  it('a connection to a malformed address says so', async () => {
    const closed = new Promise<string>((resolve) => {
      createZmqTransport().connect('nonsense', { message() {}, closed: resolve });
    });
    assert.match(await closed, /nonsense cannot be connected to/);
  });

  for (const address of [
    'nonsense',
    'tcp://1.2.3.4:5',
    'tcp://127.0.0.1:99999',
    'ipc:///nowhere/x',
  ]) {
    it(`listening at ${address} is an error that says what to do`, async () => {
      await assert.rejects(
        createZmqTransport({ key: new Uint8Array(32) }).listen(address, { message() {} }),
        (error) => {
          assert.ok(error instanceof TuttiError);
          assert.equal(error.code, 'ADDRESS_UNAVAILABLE');
          assert.ok(error.message.includes(address));
          return true;
        },
      );
    });
  }

  it('the listener notices at once when the process of a peer is killed', async () => {
    const watched = await watch({ timeoutMs: 1_000_000, heartbeatMs: 1_000_000 });
    const child = startPeer(`
      const connection = createZmqTransport().connect('${watched.listener.address}', { message() {} });
      for (let i = 0; i < 3; i++) connection.send(pull(i));`);
    const [, peer] = await watched.until('message', 2);
    child.kill('SIGKILL');
    const [, gone] = await watched.until('closed');
    assert.equal(gone, peer);
    assert.deepEqual(
      watched.events.map(([kind, , about]) => (kind === 'message' ? about : kind)),
      [0, 1, 2, 'closed'],
    );
    await watched.listener.close();
  });

  it('the connection notices at once when the process of the listener is killed', async () => {
    const child = startPeer(`
      const listener = await createZmqTransport().listen('${anywhere}', {
        message(peer) { for (let i = 0; i < 3; i++) listener.send(peer, pull(i)); },
      });
      console.log(listener.address);`);
    const [address] = (await once(createInterface(child.stdout!), 'line')) as [string];
    const seen: unknown[] = [];
    const transport = createZmqTransport({ timeoutMs: 1_000_000, heartbeatMs: 1_000_000 });
    await new Promise<void>((resolve) => {
      const connection = transport.connect(address, {
        message({ message }) {
          seen.push(versionOf(message));
          if (seen.length === 3) child.kill('SIGKILL');
        },
        closed: () => resolve(),
      });
      connection.send(pull(0));
    });
    assert.deepEqual(seen, [0, 1, 2]);
  });

  it('a process that stands still counts as gone after the timeout', async () => {
    // So long that no busy machine lets it be silent before it is stopped.
    const watched = await watch({ heartbeatMs: 100, timeoutMs: 1500 });
    const child = startPeer(`
      const connection = createZmqTransport({ heartbeatMs: 20, timeoutMs: 10000 })
        .connect('${watched.listener.address}', { message() {} });
      connection.send(pull(1));`);
    await watched.until('message', 1);
    child.kill('SIGSTOP');
    await watched.until('closed');
    child.kill('SIGKILL');
    await watched.listener.close();
  });

  it('after close a process ends by itself, and what it sent has arrived', async () => {
    const watched = await watch();
    const child = startPeer(`
      const transport = createZmqTransport();
      const listener = await transport.listen('${anywhere}', { message() {} });
      const idle = transport.connect(listener.address, { message() {} });
      const connection = transport.connect('${watched.listener.address}', { message() {} });
      for (let i = 0; i < 200; i++) connection.send(weights(i, 0, 65536));
      await Promise.all([connection.close(20000), idle.close(), listener.close()]);`);
    const [code] = await once(child, 'exit');
    assert.equal(code, 0);
    await watched.until('closed');
    const versions = watched.events.filter(([kind]) => kind === 'message').map((event) => event[2]);
    assert.deepEqual(
      versions,
      Array.from({ length: 200 }, (_, i) => i),
    );
    await watched.listener.close();
  });
});
