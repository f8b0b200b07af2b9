import assert from 'node:assert/strict';
import { createLayout } from '@tutti/parameters';
import type { ConnectFault, WorkerToServer } from '@tutti/protocol';
import { PROTOCOL_VERSION } from '@tutti/protocol';
import { createMonitor, createSimulatedClock, errorToRecord, TuttiError } from '@tutti/runtime';
import { createDeadEnd } from './testing.js';
import { createWeightPuller, versionsUnasked } from './weight-puller.js';
import { createWeightBuffer } from './weights.js';

const NAME: ConnectFault = {
  kind: 'name',
  reason: 'the name node7 is not known on this machine (ENOTFOUND)',
  remedy: 'Correct the name.',
};
const REFUSED: ConnectFault = { kind: 'refused', reason: 'nobody listens there', remedy: 'Wait.' };

/** A worker that is told of one server, and how its attempts to connect fare. */
function connecting() {
  const { transport, handlers } = createDeadEnd();
  const clock = createSimulatedClock();
  const monitor = createMonitor({ clock });
  const puller = createWeightPuller({
    own: undefined,
    contributes: () => false,
    transport,
    clock,
    monitor,
    weights: createWeightBuffer(createLayout([{ name: 'w', shape: [1] }])),
    unasked: 0,
    attempt: () => 'a',
    stamp: (body) => ({ ...body, protocol: PROTOCOL_VERSION, job: 'j', session: 's' }),
  });
  puller.relocate([{ address: 'tcp://node7:1', firstChunk: 0, chunks: 1 }]);
  const ended = monitor.until(() => false, { who: 'a', what: 'b', remedy: 'c' });
  ended.catch(() => {});
  return { puller, clock, ended, handlers: handlers(), latest: handlers };
}

describe('a server that a worker does not reach', () => {
  it('because nobody knows its name ends the worker, with the name and what to give instead', async () => {
    const { puller, clock, ended, handlers } = connecting();
    handlers.unreached!(NAME);
    assert.equal(puller.faultOf([0]), NAME);
    clock.advance(9999);
    handlers.unreached!(NAME);
    clock.advance(1);
    handlers.unreached!(NAME);
    await assert.rejects(ended, {
      code: 'PEER_LOST',
      message: /server at tcp:\/\/node7:1 cannot be reached.*the name node7 is not known/,
      remedy: /--advertise/,
    });
  });

  it('has as long again when it is named once more', async () => {
    const { puller, clock, ended, handlers, latest } = connecting();
    let failed = false;
    ended.catch(() => {
      failed = true;
    });
    handlers.unreached!(NAME);
    clock.advance(5000);
    for (const address of ['tcp://node8:1', 'tcp://node7:1']) {
      puller.relocate([{ address, firstChunk: 0, chunks: 1 }]);
      clock.advance(60_000);
    }
    latest().unreached!(NAME);
    clock.advance(9999);
    latest().unreached!(NAME);
    await new Promise(setImmediate);
    assert.equal(failed, false);
  });

  it('is waited for where it may come back', async () => {
    for (const [reached, fault] of [
      [false, REFUSED],
      [true, NAME],
    ] as const) {
      const { puller, clock, ended, handlers } = connecting();
      if (reached) {
        handlers.opened!();
        handlers.closed!('the connection was lost');
      }
      handlers.unreached!(fault);
      clock.advance(60_000);
      handlers.unreached!(fault);
      const still = new Promise((resolve) => setImmediate(resolve, 'waiting'));
      assert.equal(await Promise.race([ended, still]), 'waiting');
      assert.equal(puller.faultOf([0]), fault);
      handlers.opened!();
      assert.equal(puller.faultOf([0]), undefined);
    }
  });
});

describe('a standing order for weights', () => {
  const layout = createLayout([{ name: 'w', shape: [1] }]);
  const job = { protocol: PROTOCOL_VERSION, job: 'j', session: 's' };

  /** A worker whose server sends so many versions unasked, and what it asks of it. */
  function ordering(unasked: number) {
    const asked: [version: number, until: number | undefined][] = [];
    const { transport, handlers } = createDeadEnd(
      (message) => void (message.type === 'pull' && asked.push([message.version, message.until])),
    );
    const clock = createSimulatedClock();
    const monitor = createMonitor({ clock });
    const weights = createWeightBuffer(layout);
    const stamp = (body: WorkerToServer) => ({ ...body, ...job });
    const attempt = () => 'a';
    const puller = createWeightPuller({
      ...{ own: undefined, contributes: () => false },
      ...{ transport, clock, monitor, weights, unasked, stamp, attempt },
    });
    puller.relocate([{ address: 'tcp://node7:1', firstChunk: 0, chunks: 1 }]);
    const comes = (version: number) =>
      handlers().message({
        message: { type: 'weights', version, chunk: 0, ...job },
        payload: new Uint8Array(Float32Array.of(version).buffer),
      });
    const refuses = (version: number, current: number) => {
      const error = new TuttiError('REFUSED', 'It is gone.', {
        remedy: 'Ask for that version.',
        details: { version, current },
      });
      handlers().message({ message: { type: 'refused', error: errorToRecord(error), ...job } });
    };
    const lose = () => handlers().closed!('it was cut');
    return { puller, weights, asked, comes, refuses, clock, lose };
  }

  it('is given anew only when it has been carried out', () => {
    const { puller, weights, asked, comes } = ordering(2);
    puller.pull(0);
    for (let version = 0; version < 7; version++) {
      comes(version);
      weights.turn();
      assert.equal(weights.values().w![0], version);
      puller.follow(version + 1);
    }
    assert.deepEqual(asked, [
      [0, 2],
      [3, 5],
      [6, 8],
    ]);
  });

  it('is not given anew for versions that came while an earlier one was waited for', () => {
    const { puller, weights, asked, comes } = ordering(10);
    puller.pull(4);
    // Others did the steps without this worker, which has not looked yet.
    for (const version of [4, 5, 6]) comes(version);
    for (const version of [4, 5, 6]) {
      assert.ok(weights.arrived());
      weights.turn();
      assert.equal(weights.values().w![0], version);
      puller.follow(version + 1);
    }
    assert.ok(!weights.arrived());
    assert.deepEqual(asked, [[4, 14]]);
  });

  it('is given anew when it was refused, also where a later version has been awaited since', () => {
    const { puller, weights, asked, comes, refuses } = ordering(10);
    puller.pull(0);
    // Its values were here already, and the step is made; the order was long on its way.
    puller.follow(1);
    refuses(0, 3);
    comes(3);
    assert.ok(weights.arrived());
    // What is said of an order before that changes nothing.
    refuses(0, 3);
    assert.deepEqual(asked, [
      [0, 10],
      [3, 13],
    ]);
  });

  it('for what is gone is given for the next best, or for what there is', () => {
    const { puller, asked, refuses } = ordering(2);
    puller.pull(4, 5);
    refuses(4, 6);
    assert.equal(puller.wanted(), 5);
    refuses(5, 7);
    assert.equal(puller.wanted(), 7);
    assert.deepEqual(
      asked.map(([version]) => version),
      [4, 5, 7],
    );
  });

  it('begins anew when the weights go back', () => {
    const { puller, weights, asked, comes } = ordering(10);
    puller.pull(4);
    for (const version of [4, 5]) comes(version);
    weights.turn();
    puller.pull(4);
    puller.follow(5);
    assert.ok(!weights.arrived(), 'what came before is void');
    assert.deepEqual(asked, [
      [4, 14],
      [4, 14],
    ]);
  });

  it('that was carried out before a server was lost is not given again', () => {
    const { puller, asked, comes, clock, lose } = ordering(2);
    puller.pull(0);
    for (const version of [0, 1, 2]) comes(version);
    lose();
    clock.advance(10_000);
    assert.deepEqual(asked, [[0, 2]]);
  });

  it('is given to a server that is back, for what has not come', () => {
    const { puller, weights, asked, comes, clock, lose } = ordering(3);
    puller.pull(0);
    comes(0);
    weights.turn();
    puller.follow(1);
    comes(1);
    lose();
    clock.advance(10_000);
    assert.deepEqual(asked.at(-1), [2, 3]);
    comes(3);
    lose();
    clock.advance(10_000);
    assert.deepEqual(asked.at(-1), [2, 3]);
  });

  it('is for fewer versions of larger models', () => {
    assert.equal(versionsUnasked(25_600_000), 0);
    assert.equal(versionsUnasked(2_500_000), 1);
    assert.equal(versionsUnasked(225_034), 18);
    assert.equal(versionsUnasked(10), 32);
  });
});

/** A worker whose process hosts the server b, what it sends to whom, and whom it connects to or leaves. */
function hosting(contributes = true) {
  const sent: [address: string, type: string][] = [];
  const links: string[] = [];
  const { transport } = createDeadEnd();
  const clock = createSimulatedClock();
  const puller = createWeightPuller({
    ...{ own: 'tcp://b:1', clock, monitor: createMonitor({ clock }), unasked: 0 },
    transport: {
      ...transport,
      connect(address, handlers) {
        links.push(`to ${address}`);
        return {
          ...transport.connect(address, handlers),
          send: ({ message }) => void sent.push([address, message.type]),
          close: async () => void links.push(`from ${address}`),
        };
      },
    },
    weights: createWeightBuffer(createLayout([{ name: 'w', shape: [1] }])),
    ...{ attempt: () => 'a', contributes: () => contributes },
    stamp: (body) => ({ ...body, protocol: PROTOCOL_VERSION, job: 'j', session: 's' }),
  });
  const told = () => sent.splice(0);
  return { puller, told, linked: () => links.splice(0) };
}

describe('where several servers hold the same', () => {
  const [a, b, c] = ['tcp://a:1', 'tcp://b:1', 'tcp://c:1'] as const;
  const range = { firstChunk: 0, chunks: 1 };
  const HELD = [
    { ...range, address: a },
    { ...range, address: b, role: 'standby' },
    { ...range, address: c, role: 'standby' },
  ] as const;
  const body = { type: 'contribution', step: 0, lo: 0, hi: 1, chunk: 0, attempt: 'a' } as const;

  it('contributions go to all of them, those elsewhere first', () => {
    const { puller, told } = hosting();
    puller.relocate(HELD);
    assert.deepEqual(puller.inOrder([0]), { away: [0], own: [0] });
    puller.contribute(body, {}, 'away');
    assert.deepEqual(
      told(),
      [a, c].map((address) => [address, 'contribution']),
    );
    puller.contribute(body, {}, 'own');
    assert.deepEqual(told(), [[b, 'contribution']]);
    puller.contribute(body, {});
    assert.equal(told().length, 3);
    assert.ok(puller.hasStandbys());
  });

  it('weights come from the one in the own process, or else from the first', () => {
    const { puller, told } = hosting();
    puller.relocate(HELD);
    puller.pull(0);
    assert.deepEqual(told(), [[b, 'pull']]);
    assert.equal(puller.namesOf([0]), `the server at ${b}`);
    puller.relocate(HELD.map((each) => (each.address === b ? { ...each, role: 'lost' } : each)));
    assert.deepEqual(told(), [[a, 'pull']]);
    assert.ok(puller.isRepeatWanted());
    puller.contribute(body, {});
    assert.deepEqual(
      told(),
      [a, c].map((address) => [address, 'contribution']),
    );
  });

  it('those that stay are not connected to anew, nor asked again', () => {
    const { puller, told, linked } = hosting();
    const without = HELD.map((each) =>
      each.address === c ? { ...each, role: 'lost' as const } : each,
    );
    puller.relocate(HELD);
    puller.pull(0);
    assert.deepEqual(linked(), [`to ${a}`, `to ${b}`, `to ${c}`]);
    assert.ok(puller.takeRepeat());
    told();
    puller.relocate(without);
    assert.deepEqual(linked(), [`from ${c}`]);
    assert.ok(!puller.isRepeatWanted(), 'what was contributed is where it went');
    const d = { ...range, address: 'tcp://d:1', role: 'standby' } as const;
    puller.relocate([...without.slice(0, 2), d]);
    assert.deepEqual(linked(), ['to tcp://d:1']);
    assert.ok(puller.isRepeatWanted(), 'it has heard nothing of the step');
    assert.deepEqual(told(), []);
  });

  it('nothing is said to a standby, if contributions go to the coordinator', () => {
    const { puller, told } = hosting(false);
    puller.relocate(HELD);
    puller.pull(0);
    assert.deepEqual(told(), [[a, 'pull']]);
    assert.ok(!puller.hasStandbys());
  });
});

describe('contributions', () => {
  it('go to others first, each worker beginning behind its own server', () => {
    const { puller } = hosting();
    const chunks = [0, 1, 2, 3, 4];
    assert.deepEqual(puller.inOrder(chunks), { away: chunks, own: [] });
    puller.relocate([
      { address: 'tcp://a:1', firstChunk: 0, chunks: 2 },
      { address: 'tcp://b:1', firstChunk: 2, chunks: 2 },
      { address: 'tcp://c:1', firstChunk: 4, chunks: 1 },
    ]);
    assert.deepEqual(puller.inOrder(chunks), { away: [4, 0, 1], own: [2, 3] });
    assert.deepEqual(puller.inOrder([3, 1]), { away: [1], own: [3] });
  });
});
