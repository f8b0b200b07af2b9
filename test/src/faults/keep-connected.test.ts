import assert from 'node:assert/strict';
import {
  type KeptConnection,
  keepConnected,
  type Message,
  PROTOCOL_VERSION,
} from '@tutti/protocol';
import { createRandom, createSimulatedClock } from '@tutti/runtime';
import { createMemoryNetwork } from '@tutti/transport/internal';
import fc from 'fast-check';

const SEEDS = Number(process.env.TUTTI_SEEDS ?? 30);
const numbered = (version: number): Message => ({
  ...{ type: 'pull', version },
  ...{ protocol: PROTOCOL_VERSION, job: 'j', session: '' },
});

/** A peer that may die and come back, a network that may be cut, and who keeps connected to it. */
function kept(seed: number, looksAgain: () => boolean = () => true) {
  const clock = createSimulatedClock();
  const random = createRandom('keep connected', seed);
  const network = createMemoryNetwork({ clock, random });
  let present = false;
  /** By connection that the peer has, in the order of their arrival. */
  const heard = new Map<string, number[]>();
  let connections = 0;
  let losses = 0;
  const connection: KeptConnection = keepConnected(
    (handlers) => {
      connections++;
      return network.transport('near').connect('far:1', handlers);
    },
    clock,
    {
      message() {},
      lost() {
        losses++;
        return looksAgain();
      },
      again: () => connection.send({ message: numbered(0) }),
    },
  );
  return {
    ...{ clock, network, connection, heard },
    connections: () => connections,
    losses: () => losses,
    appear() {
      if (present) return;
      present = true;
      void network.transport('far').listen('far:1', {
        message(from, { message }) {
          if (message.type === 'pull')
            heard.set(from, [...(heard.get(from) ?? []), message.version]);
        },
        closed: (from) => void heard.delete(from),
      });
    },
    die() {
      present = false;
      heard.clear();
      network.crash('far');
    },
    /** Lets this much time pass, and what follows from it. */
    async pass(ms: number) {
      for (const until = clock.now() + ms; clock.now() < until; ) {
        await new Promise<void>((resolve) => setImmediate(resolve));
        clock.advance(Math.min(10, until - clock.now()));
      }
    },
  };
}

describe('a connection that is kept', () => {
  it('is there again once the peer is, whatever happened to it and to the network meanwhile', () =>
    fc.assert(
      fc.asyncProperty(
        fc.nat(),
        fc.array(
          fc.tuple(
            fc.constantFrom('appear', 'die', 'cut', 'heal', 'reset', 'drop'),
            fc.integer({ min: 0, max: 5000 }),
          ),
          { maxLength: 12 },
        ),
        async (seed, events) => {
          const { connection, network, clock, heard, ...peer } = kept(seed);
          for (const [what, ms] of events) {
            if (what === 'appear' || what === 'die') peer[what]();
            else if (what === 'drop') connection.drop('given up');
            else network[what]('near', 'far');
            await peer.pass(ms);
          }
          network.heal('near', 'far');
          peer.appear();
          // Longer than a cut takes to be noticed, the pause and the way.
          await peer.pass(40_000);
          connection.send({ message: numbered(7) });
          await peer.pass(100);
          // One connection is left. On each but the first, what it must hear again came first.
          assert.deepEqual([...heard.values()], [peer.connections() > 1 ? [0, 7] : [7]]);
          await Promise.all([connection.close(), peer.pass(2000)]);
        },
      ),
      { numRuns: SEEDS },
    ));

  it('counts the bytes of all its connections', async () => {
    const { connection, appear, die, pass } = kept(1);
    appear();
    connection.send({ message: numbered(1) });
    await pass(100);
    const before = connection.traffic();
    assert.ok(before > 0);
    die();
    appear();
    await pass(5000);
    assert.ok(connection.traffic() > before);
  });

  it('is not looked for when it was closed, or whoever lost it does not want it', async () => {
    const closed = kept(1);
    closed.appear();
    await closed.pass(100);
    closed.die();
    await closed.pass(10);
    void closed.connection.close();
    await closed.pass(60_000);
    assert.equal(closed.connections(), 1);

    const unwanted = kept(1, () => false);
    unwanted.appear();
    await unwanted.pass(100);
    unwanted.die();
    await unwanted.pass(60_000);
    assert.equal(unwanted.losses(), 1);
    assert.equal(unwanted.connections(), 1);
  });
});
