import assert from 'node:assert/strict';
import type { Envelope } from '@tutti/protocol';
import { createRandom, createSimulatedClock } from '@tutti/runtime';
import fc from 'fast-check';
import { complianceCases, pull, versionOf, weights, whileTimePasses } from '../compliance.js';
import { createMemoryNetwork } from './memory-network.js';

describe('the network in memory', () => {
  for (const seed of [1, 2, 3]) {
    describe(`with seed ${seed}`, () => {
      for (const { name, run } of complianceCases) {
        it(name, () => {
          const clock = createSimulatedClock();
          const network = createMemoryNetwork({ clock, random: createRandom('network', seed) });
          const work = run({
            listening: network.transport('a'),
            connecting: network.transport('b'),
            freshAddress: () => 'memory://a:0',
          });
          return whileTimePasses(clock, work);
        });
      }
    });
  }
});

/** A listener on host `a`, a connection from `b` and one from `c`; everything goes into one trace. */
async function small(seed: number) {
  const clock = createSimulatedClock();
  const network = createMemoryNetwork({ clock, random: createRandom('small', seed) });
  const trace: string[] = [];
  const listener = await network.transport('a').listen('memory://a:1', {
    message: (peer, { message }) => trace.push(`${peer} says ${versionOf(message)}`),
    closed: (peer) => trace.push(`${peer} closed`),
    badFrame: (peer) => trace.push(`${peer} bad`),
  });
  const join = (host: string) =>
    network.transport(host).connect('memory://a:1', {
      message: ({ message }) => trace.push(`${host} hears ${versionOf(message)}`),
      closed: (reason) => trace.push(`${host} closed: ${reason}`),
    });
  return { clock, network, listener, trace, b: join('b'), c: join('c') };
}

const said = (trace: readonly string[], peer: string) =>
  trace.filter((line) => line.startsWith(`${peer} says`)).map((line) => Number(line.split(' ')[2]));

/** The peer whose messages are below 100, and the other. */
function peersIn(trace: readonly string[]) {
  const b = trace.find((line) => / says \d\d?$/.test(line))?.split(' ')[0];
  return { b: b ?? '', c: b === 'peer-1' ? 'peer-2' : 'peer-1' };
}

describe('the network in memory, broken on purpose', () => {
  async function chatter(seed: number): Promise<string[]> {
    const { clock, trace, b, c } = await small(seed);
    for (let i = 0; i < 20; i++) {
      b.send(pull(i));
      c.send(pull(100 + i));
    }
    clock.advance(1000);
    return trace;
  }

  it('runs the same for the same seed, and orders connections differently for others', async () => {
    assert.deepEqual(await chatter(1), await chatter(1));
    const traces = await Promise.all([1, 2, 3, 4].map(chatter));
    assert.ok(new Set(traces.map(String)).size > 1);
    for (const trace of traces) {
      const numbers = trace.map((line) => Number(line.split(' ')[2]));
      assert.deepEqual(
        numbers.filter((n) => n < 100),
        Array.from({ length: 20 }, (_, i) => i),
      );
      assert.deepEqual(
        numbers.filter((n) => n >= 100),
        Array.from({ length: 20 }, (_, i) => 100 + i),
      );
    }
  });

  it('keeps the order of each connection under any cuts that heal in time', async () => {
    const action = fc.oneof(
      fc.constant('send' as const),
      fc.constant('cut' as const),
      fc.constant('cut forth' as const),
      fc.constant('heal' as const),
      fc.constant('wait' as const),
    );
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.array(action, { maxLength: 60 }), async (seed, actions) => {
        const { clock, network, trace, b } = await small(seed);
        b.send(pull(0));
        let sent = 1;
        for (const what of actions) {
          if (what === 'send') b.send(pull(sent++));
          if (what === 'cut') network.cut('a', 'b');
          if (what === 'cut forth') network.cut('b', 'a', 'forth');
          if (what === 'heal') network.heal('a', 'b');
          if (what === 'wait') clock.advance(1);
        }
        network.heal('a', 'b');
        clock.advance(100);
        assert.deepEqual(
          said(trace, peersIn(trace).b),
          Array.from({ length: sent }, (_, i) => i),
        );
      }),
    );
  });

  it('closes both sides of a cut that lasts, and no others', async () => {
    const { clock, network, trace, b, c } = await small(1);
    b.send(pull(1));
    c.send(pull(101));
    clock.advance(10);
    network.cut('b', 'a', 'forth');
    b.send(pull(2));
    clock.advance(2999);
    assert.equal(trace.length, 2);
    clock.advance(2);
    c.send(pull(102));
    network.heal('a', 'b');
    b.send(pull(3));
    clock.advance(5000);
    const { b: peer } = peersIn(trace);
    assert.ok(trace.includes(`${peer} closed`));
    assert.ok(trace.some((line) => line.startsWith('b closed: nothing was heard for 3 s')));
    assert.ok(trace.some((line) => line.endsWith('says 102')));
    assert.deepEqual(said(trace, peer), [1]);
  });

  it('a crash leaves a beginning of what was sent, then closed, and the dead hear nothing', async () => {
    const lengths = new Set<number>();
    for (let seed = 0; seed < 20; seed++) {
      const { clock, network, listener, trace, b, c } = await small(seed);
      b.send(pull(1));
      c.send(pull(101));
      clock.advance(10);
      const { b: peer } = peersIn(trace);
      for (let i = 2; i < 10; i++) b.send(pull(i));
      listener.send(peer, pull(50));
      network.crash('b');
      b.send(pull(10));
      clock.advance(100);
      const heard = said(trace, peer);
      lengths.add(heard.length);
      assert.deepEqual(
        heard,
        Array.from({ length: heard.length }, (_, i) => i + 1),
      );
      assert.equal(trace.filter((line) => line === `${peer} closed`).length, 1);
      assert.equal(trace.indexOf(`${peer} closed`), trace.length - 1);
      assert.ok(!trace.some((line) => line.startsWith('b ')), String(trace));
    }
    assert.ok(lengths.size > 2, 'crashes should lose different amounts');
  });

  it('a crash of the listener is noticed, and its address can be taken again', async () => {
    const { clock, network, trace, b, c } = await small(1);
    b.send(pull(1));
    c.send(pull(101));
    clock.advance(10);
    network.crash('a');
    b.send(pull(2));
    clock.advance(10);
    assert.ok(trace.includes('b closed: the process on a ended'));
    assert.ok(trace.includes('c closed: the process on a ended'));
    assert.equal(trace.length, 4);
    await network.transport('a').listen('memory://a:1', {
      message: (peer, { message }) => trace.push(`${peer} says ${versionOf(message)} anew`),
    });
    network
      .transport('b')
      .connect('memory://a:1', { message() {} })
      .send(pull(3));
    clock.advance(10);
    assert.equal(trace.at(-1), 'peer-3 says 3 anew');
  });

  it('a connection that reaches nobody says so after its deadline', () => {
    const clock = createSimulatedClock();
    const network = createMemoryNetwork({ clock, connectDeadlineMs: 500 });
    const reasons: string[] = [];
    network
      .transport('b')
      .connect('memory://a:1', { message() {}, closed: (reason) => reasons.push(reason) });
    clock.advance(499);
    assert.deepEqual(reasons, []);
    clock.advance(1);
    assert.deepEqual(reasons, ['memory://a:1 could not be reached within 0.5 s']);
  });

  it('a peer that sends no message is cut off, others are not affected', async () => {
    const { clock, network, trace, b, c } = await small(1);
    b.send(pull(1));
    c.send(pull(101));
    clock.advance(10);
    network.sendRaw(b, [new Uint8Array(3)]);
    b.send(pull(2));
    c.send(pull(102));
    clock.advance(10);
    const { b: peer, c: other } = peersIn(trace);
    assert.ok(trace.indexOf(`${peer} bad`) < trace.indexOf(`${peer} closed`));
    assert.deepEqual(said(trace, peer), [1]);
    assert.deepEqual(said(trace, other), [101, 102]);
    assert.ok(trace.some((line) => line.startsWith('b closed: memory://a:1 cut it off')));
  });

  it('hands over a copy of the payload as it is on arrival', async () => {
    const clock = createSimulatedClock();
    const network = createMemoryNetwork({ clock });
    const got: Envelope[] = [];
    const { address } = await network
      .transport('a')
      .listen('memory://a:0', { message: (_, envelope) => got.push(envelope) });
    const connection = network.transport('b').connect(address, { message() {} });
    const envelope = weights(1, 1, 4);
    connection.send(envelope);
    clock.advance(10);
    const arrived = Buffer.from(got[0]!.payload!);
    assert.notEqual(got[0]!.payload!.buffer, envelope.payload!.buffer);
    envelope.payload!.fill(7);
    assert.equal(Buffer.compare(got[0]!.payload!, arrived), 0);
  });
});
