import assert from 'node:assert/strict';
import {
  type Connection,
  type Envelope,
  type Listener,
  MAX_PAYLOAD_BYTES,
  type Message,
  PROTOCOL_VERSION,
  type Transport,
} from '@tutti/protocol';
import { type SimulatedClock, TuttiError } from '@tutti/runtime';

/** What the suite needs to know of the implementation that it is run against. */
export interface ComplianceSetup {
  /** Two hosts, so that twins with a network between them are really crossed. */
  readonly listening: Transport;
  readonly connecting: Transport;
  /** An address to listen at that nothing else uses; a port may be 0. */
  freshAddress(): string;
}

export interface ComplianceCase {
  readonly name: string;
  run(setup: ComplianceSetup): Promise<void>;
}

const stamp = { protocol: PROTOCOL_VERSION, job: 'job', session: '' };

export function pull(version: number): Envelope {
  return { message: { type: 'pull', version, ...stamp } };
}

/** Weights whose floats follow from (version, chunk), so that any mix-up shows. */
export function weights(version: number, chunk: number, floats: number): Envelope {
  const values = new Float32Array(floats);
  for (let i = 0; i < floats; i++) values[i] = version + chunk * 0.5 + i;
  return {
    message: { type: 'weights', version, chunk, ...stamp },
    payload: new Uint8Array(values.buffer),
  };
}

export function versionOf(message: Message): number {
  assert.ok('version' in message, `message ${message.type} has no version`);
  return message.version;
}

/** Moves the simulated time on until `work` has come to its end. */
export async function whileTimePasses<T>(clock: SimulatedClock, work: Promise<T>): Promise<T> {
  let running = true;
  const turn = () => {
    if (!running) return;
    clock.step();
    setImmediate(turn);
  };
  turn();
  try {
    return await work;
  } finally {
    running = false;
  }
}

/** A promise that `add` fulfils once it was called `count` times. */
function collect<T>(count: number): { add(item: T): void; all: Promise<T[]> } {
  const items: T[] = [];
  let fulfil: (items: T[]) => void;
  const all = new Promise<T[]>((resolve) => {
    fulfil = resolve;
  });
  return {
    add(item) {
      items.push(item);
      assert.ok(items.length <= count, `more than ${count} came`);
      if (items.length === count) fulfil(items);
    },
    all,
  };
}

const ignore = () => {};

async function closeAll(...ends: (Connection | Listener)[]): Promise<void> {
  await Promise.all(ends.map((end) => end.close(0)));
}

/**
 * The contract of link.ts, as cases without a test runner: every implementation runs all of them.
 * None sleeps or retries; each awaits what must happen.
 */
export const complianceCases: readonly ComplianceCase[] = [
  {
    name: 'messages arrive in order, each once',
    async run({ listening, connecting, freshAddress }) {
      const got = collect<number>(2000);
      const listener = await listening.listen(freshAddress(), {
        message: (_, { message }) => got.add(versionOf(message)),
      });
      const connection = connecting.connect(listener.address, { message: ignore });
      for (let i = 0; i < 2000; i++) connection.send(pull(i));
      assert.deepEqual(
        await got.all,
        Array.from({ length: 2000 }, (_, i) => i),
      );
      await closeAll(connection, listener);
    },
  },
  {
    name: 'what is sent to several arrives at each, in order with what is sent to it alone',
    async run({ listening, connecting, freshAddress }) {
      const [peers, rounds, floats] = [3, 40, 20_000];
      const joined = collect<string>(peers);
      const listener = await listening.listen(freshAddress(), {
        message: (peer) => joined.add(peer),
      });
      const got = Array.from({ length: peers }, () => collect<[number, boolean]>(2 * rounds));
      const connections = got.map(({ add }) =>
        connecting.connect(listener.address, {
          message({ message, payload }) {
            const version = versionOf(message);
            const expected = weights(version, 0, floats).payload!;
            add([version, payload === undefined || Buffer.compare(payload, expected) === 0]);
          },
        }),
      );
      for (const connection of connections) connection.send(pull(0));
      const names = await joined.all;
      for (let i = 0; i < rounds; i++) {
        // Whoever is not there does not keep the others from it.
        listener.broadcast([...names, 'nobody'], weights(2 * i, 0, floats));
        for (const name of names) listener.send(name, pull(2 * i + 1));
      }
      const expected = Array.from({ length: 2 * rounds }, (_, version) => [version, true]);
      for (const { all } of got) assert.deepEqual(await all, expected);
      await closeAll(...connections, listener);
    },
  },
  {
    name: 'a payload is read to where the receiver would have it',
    async run({ listening, connecting, freshAddress }) {
      const [rounds, floats] = [20, 20_000];
      /** The receiver's memory, used again and again; every other payload is left to the transport. */
      function receiver() {
        const got = collect<number>(rounds);
        const memory = new Uint8Array(4 * floats);
        let asked: number | undefined;
        return {
          ...got,
          place(message: Message, bytes: number) {
            assert.equal(bytes, memory.length);
            asked = versionOf(message);
            return asked % 2 === 0 ? memory : undefined;
          },
          check({ message, payload }: Envelope) {
            const version = versionOf(message);
            if (asked !== undefined) assert.equal(version, asked);
            if (asked !== undefined) assert.equal(payload === memory, asked % 2 === 0);
            assert.equal(Buffer.compare(payload!, weights(version, 0, floats).payload!), 0);
            asked = undefined;
            got.add(version);
          },
        };
      }
      const [up, down] = [receiver(), receiver()];
      let peer = '';
      const listener = await listening.listen(freshAddress(), {
        place(from, message, bytes) {
          peer = from;
          return up.place(message, bytes);
        },
        message(from, envelope) {
          if (peer !== '') assert.equal(from, peer);
          peer = from;
          up.check(envelope);
        },
      });
      const connection = connecting.connect(listener.address, {
        place: down.place,
        message: down.check,
      });
      for (let i = 0; i < rounds; i++) connection.send(weights(i, 0, floats));
      await up.all;
      for (let i = 0; i < rounds; i++) listener.send(peer, weights(i, 0, floats));
      await down.all;
      await closeAll(connection, listener);
    },
  },
  {
    name: 'what was lent may be written to once it was sent, and is copied once however many get it',
    async run({ listening, connecting, freshAddress }) {
      const [peers, rounds, floats] = [3, 20, 20_000];
      const up = collect<boolean>(peers * rounds);
      const isRight = ({ message, payload }: Envelope) =>
        Buffer.compare(payload!, weights(versionOf(message), 0, floats).payload!) === 0;
      const memory = new Uint8Array(4 * floats);
      let copies = 0;
      function lend(version: number, send: (envelope: Envelope) => void) {
        const { message, payload } = weights(version, 0, floats);
        memory.set(payload!);
        copies = 0;
        const lent = () => {
          copies++;
          return memory.slice();
        };
        send({ message, payload: memory, lent });
        memory.fill(0xff);
        assert.ok(copies <= 1, `${copies} copies`);
      }
      const names = new Set<string>();
      const listener = await listening.listen(freshAddress(), {
        message(from, envelope) {
          names.add(from);
          up.add(isRight(envelope));
        },
      });
      const got = Array.from({ length: peers }, () => collect<boolean>(rounds));
      const connections = got.map(({ add }) =>
        connecting.connect(listener.address, { message: (envelope) => add(isRight(envelope)) }),
      );
      for (let i = 0; i < rounds; i++)
        for (const connection of connections) lend(i, connection.send);
      assert.ok((await up.all).every((right) => right));
      for (let i = 0; i < rounds; i++)
        lend(i, (envelope) => listener.broadcast([...names, 'nobody'], envelope));
      for (const { all } of got) assert.ok((await all).every((right) => right));
      await closeAll(...connections, listener);
    },
  },
  {
    name: 'payloads of any size arrive bit by bit and aligned',
    async run({ listening, connecting, freshAddress }) {
      const small = [0, 1, 2, 7, 31, 32, 33, 100, 500, 2047, 2048, 2049, 5000, 65_536, 100_000];
      const sizes = [...small, MAX_PAYLOAD_BYTES / 4];
      const got = collect<void>(sizes.length);
      let i = 0;
      const check = ({ message, payload }: Envelope) => {
        assert.deepEqual(message, weights(i, 3, 0).message);
        assert.ok(payload !== undefined);
        assert.equal(payload.byteOffset % 4, 0);
        assert.equal(Object.getPrototypeOf(payload), Uint8Array.prototype);
        const expected = weights(i, 3, sizes[i]!).payload!;
        assert.equal(Buffer.compare(payload, expected), 0, `payload ${i} differs`);
        i++;
      };
      const faults: unknown[] = [];
      const listener = await listening.listen(freshAddress(), {
        message(_, envelope) {
          try {
            check(envelope);
          } catch (fault) {
            faults.push(fault);
          }
          got.add();
        },
      });
      const connection = connecting.connect(listener.address, { message: ignore });
      sizes.forEach((floats, at) => {
        connection.send(weights(at, 3, floats));
      });
      await got.all;
      assert.deepEqual(faults, []);
      await closeAll(connection, listener);
    },
  },
  {
    name: '64 MB in messages of 256 KB pass in both directions at once, none is lost',
    async run({ listening, connecting, freshAddress }) {
      const count = 256;
      const up = collect<number>(count);
      const down = collect<number>(count);
      const check = (into: { add(n: number): void }, { message, payload }: Envelope) => {
        const version = versionOf(message);
        const values = new Float32Array(payload!.buffer, payload!.byteOffset, 65_536);
        assert.equal(values[0], version);
        assert.equal(values[65_535], version + 65_535);
        into.add(version);
      };
      const listener = await listening.listen(freshAddress(), {
        message(peer, envelope) {
          if (versionOf(envelope.message) === 0) {
            for (let i = 0; i < count; i++) listener.send(peer, weights(i, 0, 65_536));
          }
          check(up, envelope);
        },
      });
      const connection = connecting.connect(listener.address, {
        message: (envelope) => check(down, envelope),
      });
      for (let i = 0; i < count; i++) connection.send(weights(i, 0, 65_536));
      const expected = Array.from({ length: count }, (_, i) => i);
      assert.deepEqual(await up.all, expected);
      assert.deepEqual(await down.all, expected);
      assert.ok(connection.traffic.sentBytes >= count * 262_144);
      assert.equal(listener.traffic.receivedBytes, connection.traffic.sentBytes);
      assert.equal(connection.traffic.receivedBytes, listener.traffic.sentBytes);
      await closeAll(connection, listener);
    },
  },
  {
    name: 'each of many peers gets its own replies',
    async run({ listening, connecting, freshAddress }) {
      const peers = 16;
      const names = new Set<string>();
      const listener = await listening.listen(freshAddress(), {
        message(peer, { message }) {
          names.add(peer);
          listener.send(peer, pull(versionOf(message) * 10));
        },
      });
      const got = collect<[number, number]>(peers * 3);
      const connections = Array.from({ length: peers }, (_, i) => {
        const connection = connecting.connect(listener.address, {
          message: ({ message }) => got.add([i, versionOf(message)]),
        });
        for (let k = 0; k < 3; k++) connection.send(pull(i * 3 + k));
        return connection;
      });
      const replies = await got.all;
      for (let i = 0; i < peers; i++) {
        assert.deepEqual(
          replies.filter(([to]) => to === i).map(([, version]) => version),
          [0, 1, 2].map((k) => (i * 3 + k) * 10),
        );
      }
      assert.equal(names.size, peers);
      await closeAll(...connections, listener);
    },
  },
  {
    name: 'a connection may be made before anybody listens',
    async run({ listening, connecting, freshAddress }) {
      // A first listener finds an address that is really free.
      const first = await listening.listen(freshAddress(), { message: ignore });
      const address = first.address;
      await first.close();
      const got = collect<number>(2);
      const connection = connecting.connect(address, { message: ignore });
      connection.send(pull(1));
      connection.send(pull(2));
      const listener = await listening.listen(address, {
        message: (_, { message }) => got.add(versionOf(message)),
      });
      assert.deepEqual(await got.all, [1, 2]);
      await closeAll(connection, listener);
    },
  },
  {
    name: 'close delivers what was sent, then the listener learns of it, then nothing more comes',
    async run({ listening, connecting, freshAddress }) {
      const seen: (number | string)[] = [];
      const closed = collect<string>(1);
      const listener = await listening.listen(freshAddress(), {
        message: (_, { message }) => seen.push(versionOf(message)),
        closed: (peer, reason) => {
          assert.ok(reason.length > 0);
          closed.add(peer);
        },
      });
      const connection = connecting.connect(listener.address, {
        message: ignore,
        closed: () => assert.fail('closed was called after close()'),
      });
      for (let i = 0; i < 100; i++) connection.send(weights(i, 0, 20_000));
      const done = connection.close(10_000);
      connection.send(pull(999));
      const [peer] = await closed.all;
      await done;
      assert.deepEqual(
        seen,
        Array.from({ length: 100 }, (_, i) => i),
      );
      listener.send(peer!, pull(1));
      await closeAll(listener);
      await connection.close();
    },
  },
  {
    name: 'a listener that closes delivers what it sent, then the connection learns of it, once',
    async run({ listening, connecting, freshAddress }) {
      const seen: number[] = [];
      const closed = collect<string>(1);
      let done: Promise<void> | undefined;
      const listener = await listening.listen(freshAddress(), {
        message(peer) {
          for (let i = 0; i < 100; i++) listener.send(peer, weights(i, 0, 20_000));
          done = listener.close(10_000);
          listener.send(peer, pull(999));
        },
      });
      const connection = connecting.connect(listener.address, {
        message: ({ message }) => seen.push(versionOf(message)),
        closed: closed.add,
      });
      connection.send(pull(0));
      const [reason] = await closed.all;
      assert.ok(reason!.length > 0);
      assert.deepEqual(
        seen,
        Array.from({ length: 100 }, (_, i) => i),
      );
      connection.send(pull(1));
      await done;
      await closeAll(connection);
    },
  },
  {
    name: 'after close the address is free at once',
    async run({ listening, freshAddress }) {
      const first = await listening.listen(freshAddress(), { message: ignore });
      await first.close();
      const second = await listening.listen(first.address, { message: ignore });
      assert.equal(second.address, first.address);
      await closeAll(second);
    },
  },
  {
    name: 'an address in use is an error that names it and says what to do',
    async run({ listening, freshAddress }) {
      const first = await listening.listen(freshAddress(), { message: ignore });
      await assert.rejects(listening.listen(first.address, { message: ignore }), (error) => {
        assert.ok(error instanceof TuttiError);
        assert.equal(error.code, 'ADDRESS_UNAVAILABLE');
        assert.ok(error.message.includes(first.address), error.message);
        assert.ok(error.remedy.length > 0);
        return true;
      });
      await closeAll(first);
    },
  },
  {
    name: 'a peer that is disconnected is forgotten and learns of it, others are not affected',
    async run({ listening, connecting, freshAddress }) {
      const seen: number[] = [];
      const others = collect<number>(1);
      const listener = await listening.listen(freshAddress(), {
        message(peer, { message }) {
          const version = versionOf(message);
          seen.push(version);
          if (version === 0) {
            listener.send(peer, pull(100));
            listener.disconnect(peer);
            listener.send(peer, pull(101));
          }
          if (version === 50) others.add(version);
        },
        closed: () => assert.fail('the listener knows that it disconnected the peer'),
      });
      const got: number[] = [];
      const closed = collect<string>(1);
      const bad = connecting.connect(listener.address, {
        message: ({ message }) => got.push(versionOf(message)),
        closed: closed.add,
      });
      const good = connecting.connect(listener.address, { message: ignore });
      for (let i = 0; i < 10; i++) bad.send(pull(i));
      await closed.all;
      good.send(pull(50));
      await others.all;
      assert.deepEqual(got, [100]);
      assert.deepEqual(seen, [0, 50]);
      await closeAll(bad, listener);
      await closeAll(good);
    },
  },
  {
    name: 'sending to a peer that never was, or is gone, does nothing',
    async run({ listening, connecting, freshAddress }) {
      const closed = collect<string>(1);
      const got = collect<string>(1);
      const listener = await listening.listen(freshAddress(), {
        message: (peer) => got.add(peer),
        closed: closed.add,
      });
      listener.send('nobody', pull(1));
      listener.disconnect('nobody');
      const connection = connecting.connect(listener.address, { message: ignore });
      connection.send(pull(1));
      const [peer] = await got.all;
      await connection.close();
      for (let i = 0; i < 10; i++) listener.send(peer!, pull(i));
      assert.deepEqual(await closed.all, [peer]);
      listener.send(peer!, pull(10));
      listener.disconnect(peer!);
      await closeAll(listener);
    },
  },
  {
    name: 'a peer that comes back is another peer',
    async run({ listening, connecting, freshAddress }) {
      const got = collect<string>(2);
      const listener = await listening.listen(freshAddress(), { message: (peer) => got.add(peer) });
      const first = connecting.connect(listener.address, { message: ignore });
      first.send(pull(0));
      await first.close();
      const second = connecting.connect(listener.address, { message: ignore });
      second.send(pull(0));
      const [one, two] = await got.all;
      assert.notEqual(one, two);
      await closeAll(second, listener);
    },
  },
  {
    name: 'a message that is none is refused where it is sent',
    async run({ connecting, freshAddress }) {
      const connection = connecting.connect(freshAddress(), { message: ignore });
      const broken = { message: { type: 'pull', ...stamp } } as unknown as Envelope;
      assert.throws(() => connection.send(broken), { code: 'INTERNAL' });
      await closeAll(connection);
    },
  },
];
