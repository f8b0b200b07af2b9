import assert from 'node:assert/strict';
import { createCoordinator } from '@tutti/coordinator';
import { runLocal } from '@tutti/launch';
import { type Body, type Message, PROTOCOL_VERSION } from '@tutti/protocol';
import {
  createRandom,
  createSimulatedClock,
  type SimulatedClock,
  type Stamped,
} from '@tutti/runtime';
import { createServer, type ServerEvent } from '@tutti/server';
import type { RunEvent } from '@tutti/telemetry';
import { samplePlan } from '@tutti/testing';
import { createMemoryNetwork } from '@tutti/transport/internal';
import { createWorker } from '@tutti/worker';
import { regression } from '../programs/regression.js';
import { slowed } from '../programs/slowed.js';

/** A run of this takes some 14 s: longer than a cut. */
const SLOW_MS = 250;
/** How long a cut of the network lasts until it counts. */
const NOTICED_MS = 3000;
const RETURN_MS = 20_000;
/** Longer than any deadline. */
const LONG_MS = 300_000;

type Replaced = Extract<ServerEvent, { event: 'replaced' }>;

interface Cut {
  readonly seed: number;
  readonly direction?: 'forth' | 'both';
  /** When the cut heals; never if not given. */
  readonly healsMs?: number;
}

/** One server and its standby, of which the first is cut off from the coordinator while it lives. */
async function withCutServer({ seed, direction = 'both', healsMs }: Cut) {
  const clock = createSimulatedClock();
  const random = createRandom('replaced server', seed);
  const network = createMemoryNetwork({ clock, random, timeoutMs: NOTICED_MS });
  const on = (host: string) => ({ transport: network.transport(host), clock });
  const told: Replaced[] = [];
  const server = (at: number) =>
    createServer({
      address: `server-${at}:1`,
      settings: { returnDeadlineMs: RETURN_MS },
      onEvent: (event) => event.event === 'replaced' && told.push(event),
      ...on(`server-${at}`),
    }).start();
  const [first, standby] = [await server(0), await server(1)];
  const events: Stamped<RunEvent>[] = [];
  const coordinator = await createCoordinator({
    address: 'coordinator:1',
    servers: [{ connect: 'server-0:1' }, { connect: 'server-1:1' }],
    settings: { workers: 2, replicas: 1 },
    newId: () => 'j1',
    onEvent: (event) => events.push(event),
    ...on('coordinator'),
  }).start();
  const workers = [0, 1].map((at) =>
    createWorker({
      program: slowed(regression({ epochs: 8 }), clock, SLOW_MS / 4),
      coordinator: 'coordinator:1',
      name: `w${at}`,
      ...on(`w${at}`),
    }).start(),
  );
  const endedAt: Partial<Record<'first' | 'coordinator', number>> = {};
  const note = (who: 'first' | 'coordinator') => () => {
    endedAt[who] = clock.now();
  };
  first.result.then(note('first'), note('first'));
  coordinator.result.then(note('coordinator'), note('coordinator'));
  const all = Promise.allSettled([
    first.result,
    standby.result,
    coordinator.result,
    ...workers.map(({ result }) => result),
  ]);
  const steps = () => events.filter(({ event }) => event === 'step').length;
  let cutAt: number | undefined;
  await drive(clock, all, () => {
    if (cutAt !== undefined || steps() < 1 + random.below(6)) return;
    cutAt = clock.now();
    const [a, b] = seed % 2 === 0 ? ['coordinator', 'server-0'] : ['server-0', 'coordinator'];
    network.cut(a!, b!, direction);
    if (healsMs !== undefined) clock.after(healsMs, () => network.heal(a!, b!));
  });
  const { digest } = await coordinator.result;
  const healedAt = cutAt! + (healsMs ?? Number.POSITIVE_INFINITY);
  return { digest, events, told, endedAt, healedAt, first };
}

async function drive(
  clock: SimulatedClock,
  work: Promise<unknown>,
  tick: () => void = () => {},
  untilMs = 60_000,
) {
  let done = false;
  void work.then(() => {
    done = true;
  });
  while (!done) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    tick();
    clock.step();
    assert.ok(clock.now() < untilMs, 'somebody is left');
  }
}

describe('a server that was given up while it lives', () => {
  let expected: string;
  before(async () => {
    const run = runLocal(regression({ epochs: 8 }), { workers: 0 });
    ({ digest: expected } = await run.result);
  });

  for (const direction of ['forth', 'both'] as const)
    it(`(${direction}) is given what its standby has soon after the cut heals, and ends with the job`, async () => {
      for (let seed = 0; seed < 10; seed++) {
        const healsMs = NOTICED_MS + 300 * seed;
        const { digest, told, endedAt, healedAt, events } = await withCutServer({
          seed,
          direction,
          healsMs,
        });
        assert.equal(digest, expected, `seed ${seed}`);
        assert.deepEqual(told, [], 'it was told that it is replaced');
        const [caughtUp] = events.filter(({ event }) => event === 'server-caught-up');
        const afterMs = caughtUp!.at - healedAt;
        assert.ok(afterMs < 5000, `seed ${seed}: ${afterMs} ms after the cut`);
        assert.ok(Math.abs(endedAt.first! - endedAt.coordinator!) < 1000, 'it ends with the job');
        const steps = events.filter(({ event }) => event === 'step').length;
        assert.equal(steps, 56, `seed ${seed}: something was computed twice`);
      }
    });

  it('that cannot be reached until the job is over ends when its own deadline has passed', async () => {
    const { digest, told, endedAt, first } = await withCutServer({ seed: 1 });
    assert.equal(digest, expected);
    assert.deepEqual(told, []);
    await assert.rejects(first.result, {
      code: 'DEADLINE',
      message: `Waited ${RETURN_MS / 1000}.0 s for the coordinator to come back`,
    });
    assert.ok(endedAt.first! > endedAt.coordinator!);
  });
});

describe('that a server is replaced', () => {
  /** Two who know its job; the first has opened it. */
  async function servedBy() {
    const clock = createSimulatedClock();
    const network = createMemoryNetwork({ clock });
    const events: Stamped<ServerEvent>[] = [];
    const server = await createServer({
      address: 'server:1',
      transport: network.transport('server'),
      clock,
      onEvent: (event) => events.push(event),
    }).start();
    const heard: Message['type'][] = [];
    const as = (host: string) => {
      const connection = network.transport(host).connect('server:1', {
        message: ({ message }) => heard.push(message.type),
      });
      const say = (body: Body, job = 'j1') =>
        connection.send({ message: { ...body, protocol: PROTOCOL_VERSION, job, session: 'one' } });
      return { say, close: () => connection.close(0) };
    };
    const pass = () =>
      drive(
        clock,
        new Promise<void>((resolve) => void clock.after(10, resolve)),
        () => {},
        LONG_MS,
      );
    return { clock, server, events, heard, as, pass };
  }
  const open: Body = { type: 'open', plan: samplePlan(), firstChunk: 0, chunks: 1 };
  const replaced: Body = { type: 'replaced', by: 'server-1:1', reason: 'it was silent' };

  it('is not believed of another while its coordinator is there, nor of another job', async () => {
    const { clock, server, events, heard, as, pass } = await servedBy();
    const [coordinator, other] = [as('coordinator'), as('other')];
    coordinator.say(open);
    await pass();
    other.say(replaced);
    await pass();
    assert.deepEqual(heard, ['opened']);
    other.say(replaced, 'j2');
    await pass();
    assert.deepEqual(heard, ['opened', 'refused']);
    // Nobody but it is left.
    void coordinator.close();
    await pass();
    other.say(replaced);
    await pass();
    assert.deepEqual(heard, ['opened', 'refused', 'leave']);
    await drive(clock, server.result);
    const { at: _, ...last } = events.at(-1)!;
    assert.deepEqual(last, {
      event: 'replaced',
      job: 'j1',
      by: 'server-1:1',
      reason: 'it was silent',
    });
  });

  it('is not concluded from a coordinator that is back, and takes its time to open the job', async () => {
    const { clock, server, heard, as, pass } = await servedBy();
    const [first, second] = [as('coordinator'), as('coordinator, again')];
    first.say(open);
    await pass();
    void first.close();
    await pass();
    second.say({ type: 'inquire' }, 'j2');
    await pass();
    clock.advance(200_000);
    await pass();
    second.say(open);
    await pass();
    assert.deepEqual(heard, ['opened', 'holding', 'opened']);
    await drive(clock, server.stop(), () => {}, LONG_MS);
  });

  it('does not end one that was started anew, and waits for another job', async () => {
    const { clock, server, heard, as, pass, events } = await servedBy();
    const former = as('coordinator of another job');
    former.say(replaced, 'j0');
    await pass();
    assert.deepEqual(heard, ['holding']);
    as('coordinator').say(open);
    await pass();
    assert.deepEqual(heard, ['holding', 'opened']);
    assert.ok(!events.some(({ event }) => event === 'replaced'));
    await drive(clock, server.stop());
  });
});
