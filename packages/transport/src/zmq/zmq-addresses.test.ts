import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { ConnectFault } from '@tutti/protocol';
import { createSimulatedClock, type SimulatedClock } from '@tutti/runtime';
import { pull, versionOf } from '../compliance.js';
import type { Resolve } from './resolve.js';
import { createZmqTransport, type ZmqTransportOptions } from './zmq-transport.js';

const hasIpv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === '::1'),
);

/** Listens at `listen`; resolves once a message has come from whoever connects to `connect`. */
async function passes(listen: string, connect: (port: string) => string, resolve?: Resolve) {
  // Without one, nobody listens at `*`.
  const key = new Uint8Array(32);
  const options = resolve === undefined ? { key } : { key, resolve };
  let heard = (_: number) => {};
  const version = new Promise<number>((resolve) => {
    heard = resolve;
  });
  const listener = await createZmqTransport(options).listen(listen, {
    message: (_, { message }) => heard(versionOf(message)),
  });
  const connection = createZmqTransport(options).connect(
    connect(/\d+$/.exec(listener.address)![0]),
    { message() {}, closed: assert.fail },
  );
  connection.send(pull(7));
  assert.equal(await version, 7);
  await Promise.all([connection.close(0), listener.close(0)]);
}

/** A host with these names. */
const knows =
  (names: Readonly<Record<string, readonly string[]>>): Resolve =>
  async (host) => {
    const found = names[host];
    if (found !== undefined) return found;
    throw Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: 'ENOTFOUND' });
  };

/** Runs a clock until something has come about. */
async function runUntil(clock: SimulatedClock, done: () => boolean): Promise<void> {
  while (!done()) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    clock.advance(10);
  }
}

/** The first thing that is told of a connection that does not come about. */
function faultAt(address: string, options: ZmqTransportOptions = {}): Promise<ConnectFault> {
  return new Promise((told) => {
    const connection = createZmqTransport(options).connect(address, {
      message() {},
      unreached(fault) {
        void connection.close(0);
        told(fault);
      },
    });
  });
}

async function portOf(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

describe('addresses of the ZeroMQ transport', () => {
  const names = { six: ['::1'], both: ['::1', '127.0.0.1'], four: ['127.0.0.1'] };

  describe('of IPv6', () => {
    before(function () {
      if (!hasIpv6) this.skip();
    });
    for (const [listen, connect] of [
      ['tcp://[::1]:0', 'tcp://[::1]:'],
      ['tcp://[::1]:0', 'tcp://::1:'],
      ['tcp://::1:0', 'tcp://[::1]:'],
      ['tcp://[::1]:0', 'tcp://six:'],
      ['tcp://six:0', 'tcp://[::1]:'],
      ['tcp://[::1]:0', 'tcp://both:'],
      ['tcp://127.0.0.1:0', 'tcp://both:'],
      ['tcp://[::1]:0', 'tcp://localhost:'],
      ['tcp://*:0', 'tcp://[::1]:'],
      ['tcp://*:0', 'tcp://127.0.0.1:'],
      ['tcp://*:0', 'tcp://six:'],
      ['tcp://*:0', 'tcp://four:'],
      ['tcp://*:0', 'tcp://[::]:'],
      ['tcp://[::]:0', 'tcp://0.0.0.0:'],
      ['tcp://[::]:0', 'tcp://six:'],
    ] as const)
      it(`whoever listens at ${listen} is reached at ${connect}port`, () =>
        passes(listen, (port) => `${connect}${port}`, knows(names)));

    it('and those of the other one are kept apart', async () => {
      // Nothing of IPv4 gets to a listener that was told one address of IPv6.
      const listener = await createZmqTransport().listen('tcp://[::1]:0', { message() {} });
      const port = /\d+$/.exec(listener.address)![0];
      assert.equal((await faultAt(`tcp://127.0.0.1:${port}`)).kind, 'refused');
      await listener.close(0);
    });
  });

  it('listen by a name of this machine', () =>
    passes('tcp://four:0', (port) => `tcp://127.0.0.1:${port}`, knows(names)));

  it('to listen by a name that nobody knows is an error that names it', async () => {
    const listening = createZmqTransport({ resolve: knows({}) }).listen('tcp://head:0', {
      message() {},
    });
    await assert.rejects(listening, {
      code: 'ADDRESS_UNAVAILABLE',
      message: /tcp:\/\/head:0: the name head is not known on this machine \(ENOTFOUND\)/,
    });
  });
});

describe('a connection that does not come about', () => {
  it('names the name that nobody knows, at once', async () => {
    const fault = await faultAt('tcp://head-node:29500', { resolve: knows({}) });
    assert.equal(fault.kind, 'name');
    assert.match(fault.reason, /the name head-node is not known on this machine \(ENOTFOUND\)/);
  });

  it('is made as soon as the name is known', async () => {
    const listener = await createZmqTransport().listen('tcp://127.0.0.1:0', { message() {} });
    let asked = 0;
    const resolve: Resolve = async (host) => {
      if (++asked < 3) throw Object.assign(new Error(host), { code: 'EAI_AGAIN' });
      return ['127.0.0.1'];
    };
    const faults: string[] = [];
    const address = listener.address.replace('127.0.0.1', 'late');
    const clock = createSimulatedClock();
    const opening = new Promise<void>((opened) => {
      const connection = createZmqTransport({ resolve, clock }).connect(address, {
        message() {},
        opened: () => void connection.close(0).then(opened),
        unreached: ({ reason }) => faults.push(reason),
      });
    });
    await runUntil(clock, () => asked === 3);
    await opening;
    assert.equal(asked, 3);
    assert.match(faults.join(), /^(the name late .*no name server answers \(EAI_AGAIN\),?){2}$/);
    await listener.close(0);
  });

  it('says which address a name has here, where nobody listens', async () => {
    const fault = await faultAt('tcp://head-node:9', {
      resolve: knows({ 'head-node': ['127.0.0.1'] }),
    });
    assert.equal(fault.kind, 'refused');
    assert.equal(fault.reason, 'nobody listens there, at head-node (127.0.0.1)');
  });

  it('tells a web server from nobody', async () => {
    const server = createHttpServer((_, response) => response.end('hello'));
    const port = await portOf(server);
    // That it hung up comes by two ways, of which now one and now the other is the first.
    for (let time = 0; time < 20; time++) {
      const fault = await faultAt(`tcp://127.0.0.1:${port}`);
      assert.equal(fault.kind, 'foreign');
      assert.match(fault.remedy, /another service/);
    }
    server.close();
  });

  it('tells a port that says nothing from nobody', async () => {
    const server = createServer();
    const clock = createSimulatedClock();
    const port = await portOf(server);
    const options = { clock, connectDeadlineMs: Number.MAX_SAFE_INTEGER };
    let fault: ConnectFault | undefined;
    void faultAt(`tcp://127.0.0.1:${port}`, options).then((told) => {
      fault = told;
    });
    await runUntil(clock, () => fault !== undefined);
    assert.equal(fault?.kind, 'silent');
    assert.match(fault.reason, /accepts the connection there and says nothing/);
    server.close();
  });

  it('ends with what was wrong last', async () => {
    const transport = createZmqTransport({ connectDeadlineMs: 5, resolve: knows({}) });
    const [reason, fault] = await new Promise<[string, ConnectFault | undefined]>((resolve) => {
      transport.connect('tcp://head-node:9', {
        message() {},
        closed: (reason, fault) => resolve([reason, fault]),
      });
    });
    assert.equal(fault?.kind, 'name');
    assert.match(reason, /^tcp:\/\/head-node:9 could not be .* \(the name head-node is not known/);
  });

  it('says that there is no way to the host', function () {
    // A network of its own, without any route.
    const isolated = ['--net', '--map-root-user', process.execPath];
    if (spawnSync('unshare', [...isolated, '--version']).status !== 0) return this.skip();
    const script = `
      const { createZmqTransport } = await import(${JSON.stringify(new URL('./zmq-transport.ts', import.meta.url))});
      createZmqTransport().connect('tcp://10.9.8.7:29500', {
        message() {},
        unreached({ kind, reason }) {
          console.log(kind, reason);
          process.exit();
        },
      });`;
    const args = [...isolated, '--import', 'tsx', '--input-type=module', '-e', script];
    const said = execFileSync('unshare', args, { encoding: 'utf8' });
    assert.equal(said, 'route this machine knows no way to 10.9.8.7: ENETUNREACH\n');
  });
});
