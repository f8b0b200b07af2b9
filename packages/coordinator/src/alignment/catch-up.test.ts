import assert from 'node:assert/strict';
import { layoutOf } from '@tutti/parameters';
import {
  type CoordinatorToServer,
  PROTOCOL_VERSION,
  type ServerToCoordinator,
} from '@tutti/protocol';
import { createMonitor, createSimulatedClock } from '@tutti/runtime';
import type { RunEvent } from '@tutti/telemetry';
import { samplePlan } from '@tutti/testing';
import type { Servers } from '../servers/servers.js';
import { CATCH_UP_PATIENCE_MS, CATCH_UP_PAUSE_MS } from '../tunables.js';
import { createCatchUp } from './catch-up.js';

const optimizer = { name: 'momentum', learningRate: 1 } as const;
const plan = samplePlan({ parameters: [{ name: 'w', shape: [5] }], chunkFloats: 2, optimizer });
const layout = layoutOf(plan);
const VERSION = 7;
/** Server 2 was given up, of a range that 0 and 1 hold. */
const [FIRST, OTHER, LATE] = [0, 1, 2];

/** A training that has come to a version, with a server that is there again. */
function between() {
  const clock = createSimulatedClock();
  const monitor = createMonitor({ clock });
  const sent: [number, CoordinatorToServer['type']][] = [];
  const payloads: Uint8Array[] = [];
  const events: RunEvent[] = [];
  const readmitted: (readonly [readonly number[], number])[] = [];
  const state = { returned: [LATE], holders: [FIRST, OTHER], absent: [] as number[], ended: false };
  const servers = {
    returned: () => state.returned,
    siblings: () => state.holders,
    absent: () => state.absent,
    rangeOf: (server: number) => ({ address: `server-${server}`, firstChunk: 0, chunks: 3 }),
    nameOf: (server: number) => `server ${server}`,
    readmit(server: number) {
      state.returned = state.returned.filter((other) => other !== server);
    },
    send(server: number, { type }: CoordinatorToServer, payload?: Uint8Array) {
      sent.push([server, type]);
      if (payload !== undefined) payloads.push(payload);
    },
  } as unknown as Servers;
  const catchUp = createCatchUp({
    ...{ job: { plan, layout }, servers, monitor, clock },
    emit: (event) => void events.push(event),
    ended: () => state.ended,
    readmitted: (which, version) => void readmitted.push([which, version]),
  });
  let over = false;
  const bring = () => {
    over = false;
    return catchUp.bring(VERSION).then(() => {
      over = true;
    });
  };
  const say = (body: ServerToCoordinator, protocol = PROTOCOL_VERSION) => {
    catchUp.receive(LATE, { protocol, job: 'j', session: '', ...body });
    monitor.notify();
  };
  const capture = (chunk: number, tensors = 2) =>
    catchUp.captured(VERSION, chunk, new Uint8Array(4 * tensors * layout.chunkLength(chunk)));
  const opened = () => say({ type: 'opened', versions: [-1, -1, -1] });
  const stored = (chunk: number) => say({ type: 'stored', chunk });
  /** What was sent since it was looked at last. */
  const told = () => sent.splice(0);
  const isOver = async () => {
    await new Promise<void>((resolve) => setImmediate(resolve));
    return over;
  };
  return {
    ...{ clock, monitor, catchUp, state, events, readmitted, payloads },
    ...{ bring, say, opened, stored, capture, told, isOver },
  };
}

describe('a server that is there again', () => {
  it('is given the state of all chunks of its range, and stands by once it has stored them', async () => {
    const { catchUp, bring, opened, stored, capture, told, isOver, ...rest } = between();
    assert.ok(catchUp.due());
    void bring();
    assert.deepEqual(told(), [[LATE, 'open']]);
    // Of before: it is not opened yet.
    capture(0);
    opened();
    assert.deepEqual(told(), [[FIRST, 'capture']]);
    for (const chunk of [0, 1, 2, 1]) capture(chunk);
    assert.deepEqual(told(), Array(3).fill([LATE, 'restore']));
    assert.deepEqual(
      rest.payloads.map(({ byteLength }) => byteLength),
      [16, 16, 8],
    );
    for (const chunk of [0, 1]) stored(chunk);
    assert.equal(catchUp.awaitsServer(LATE), 'take the weights of version 7');
    assert.equal(await isOver(), false);
    stored(2);
    assert.ok(await isOver());
    assert.deepEqual(rest.readmitted, [[[LATE], VERSION]]);
    assert.deepEqual(rest.events, [
      { event: 'server-caught-up', address: 'server-2', step: VERSION, ms: 0 },
    ]);
    assert.equal(catchUp.due(), false);
    await bring();
    assert.deepEqual(told(), []);
    // Nothing is left that would fail it later.
    rest.clock.advance(10 * CATCH_UP_PATIENCE_MS);
    assert.equal(rest.events.length, 1);
  });

  it('is not given weights without what the optimizer knows of them', () => {
    const { bring, opened, capture, told } = between();
    void bring();
    opened();
    told();
    capture(0, 1);
    assert.deepEqual(told(), []);
  });

  it('is given what another has if the first is lost meanwhile', async () => {
    const { catchUp, bring, opened, stored, capture, told, isOver, state } = between();
    void bring();
    opened();
    capture(0);
    told();
    state.holders = [OTHER];
    catchUp.again();
    assert.deepEqual(told(), [[OTHER, 'capture']]);
    for (const chunk of [0, 1, 2]) capture(chunk);
    assert.deepEqual(told(), Array(2).fill([LATE, 'restore']));
    for (const chunk of [0, 1, 2]) stored(chunk);
    assert.ok(await isOver());
  });

  it('holds up the training for a moment only if it takes nothing, each time after a longer while', async () => {
    const { catchUp, bring, opened, clock, isOver, events, readmitted } = between();
    for (const pauseMs of [CATCH_UP_PAUSE_MS, 2 * CATCH_UP_PAUSE_MS]) {
      void bring();
      clock.advance(CATCH_UP_PATIENCE_MS - 1);
      opened();
      clock.advance(CATCH_UP_PATIENCE_MS - 1);
      assert.equal(await isOver(), false);
      clock.advance(1);
      assert.ok(await isOver());
      clock.advance(pauseMs - 1);
      assert.equal(catchUp.due(), false);
      clock.advance(1);
      assert.ok(catchUp.due());
    }
    const warnings = events.flatMap((event) => (event.event === 'warning' ? event.message : []));
    assert.deepEqual(
      warnings,
      Array(2).fill(
        'server 2 was not given what the others of its range have: it took nothing for 5 s',
      ),
    );
    assert.deepEqual(readmitted, []);
  });

  it('is left alone if it refuses, or is of another version', async () => {
    const refused = {
      code: 'REFUSED',
      message: 'It works for another',
      remedy: '',
      details: {},
    } as const;
    for (const answer of [
      ({ say }: ReturnType<typeof between>) => say({ type: 'refused', error: refused }),
      ({ say }: ReturnType<typeof between>) => say({ type: 'opened', versions: [] }, 99),
    ]) {
      const training = between();
      void training.bring();
      answer(training);
      assert.ok(await training.isOver());
      assert.equal(training.catchUp.due(), false);
      assert.equal(training.events[0]!.event, 'warning');
    }
  });

  it('is not waited for once it is gone, the run ends, or others are gone', async () => {
    for (const happens of [
      ({ catchUp }: ReturnType<typeof between>) => catchUp.forget(LATE),
      ({ state }: ReturnType<typeof between>) => {
        state.ended = true;
      },
      ({ state }: ReturnType<typeof between>) => {
        state.absent = [FIRST];
      },
    ]) {
      const training = between();
      void training.bring();
      training.opened();
      assert.equal(await training.isOver(), false);
      happens(training);
      training.monitor.notify();
      assert.ok(await training.isOver());
      assert.deepEqual(training.readmitted, []);
      assert.equal(training.catchUp.awaitsServer(LATE), undefined);
      training.clock.advance(10 * CATCH_UP_PATIENCE_MS);
      assert.deepEqual(training.events, []);
    }
  });
});
