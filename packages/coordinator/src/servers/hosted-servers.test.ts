import assert from 'node:assert/strict';
import { createSimulatedClock } from '@tutti/runtime';
import { HOST_PATIENCE_MS } from '../tunables.js';
import { createHostedServers } from './hosted-servers.js';

/** Two ranges, and what became of them. */
function twoRanges() {
  const clock = createSimulatedClock();
  let addresses: string[] = [];
  const replaced: [number, string][] = [];
  const dropped: number[] = [];
  const hosts = createHostedServers({
    count: 2,
    clock,
    addresses: () => addresses,
    take: (wanted) => {
      addresses = [...wanted];
    },
    replace(at, address) {
      addresses[at] = address;
      replaced.push([at, address]);
    },
    drop: (at) => void dropped.push(at),
    gaveUp() {},
  });
  const join = (peer: string, known: readonly string[] = []) =>
    hosts.offered(peer, `server of ${peer}`, known);
  return { clock, hosts, join, replaced, dropped, addresses: () => addresses };
}

/** With a server in each of them, and a third worker. */
function filled() {
  const ranges = twoRanges();
  for (const peer of ['a', 'b', 'c']) ranges.join(peer);
  return ranges;
}

describe('the servers in the processes of workers', () => {
  it('are those of who joins first, one for each range', () => {
    const { addresses, join, hosts } = twoRanges();
    hosts.offered('without', undefined, []);
    assert.deepEqual(addresses(), []);
    join('a');
    assert.deepEqual(addresses(), ['server of a']);
    join('a');
    join('b');
    join('c');
    assert.deepEqual(addresses(), ['server of a', 'server of b']);
    assert.equal(hosts.peerOf('server of b'), 'b');
    assert.equal(hosts.peerOf('elsewhere'), undefined);
  });

  it('are those that a coordinator before told, in their order, whoever is back first', () => {
    const { addresses, join } = twoRanges();
    join('new');
    join('b', ['server of a', 'server of b']);
    assert.deepEqual(addresses(), ['server of a', 'server of b']);
    join('other', ['server of x', 'server of y']);
    assert.deepEqual(addresses(), ['server of a', 'server of b']);
  });

  it('are those again that a coordinator before told, though others have filled the ranges', () => {
    const { addresses, hosts, join, replaced, clock } = twoRanges();
    join('new');
    join('newer');
    assert.equal(hosts.remembered(), false);
    assert.equal(hosts.restore(), false);
    hosts.away(0);
    join('b', ['server of a', 'server of b']);
    // Those that were asked first may hold a job.
    assert.deepEqual(addresses(), ['server of new', 'server of newer']);
    assert.equal(hosts.remembered(), true);
    assert.equal(hosts.restore(), true);
    assert.deepEqual(addresses(), ['server of a', 'server of b']);
    clock.advance(HOST_PATIENCE_MS);
    assert.deepEqual(replaced, []);
    assert.equal(hosts.restore(), false);
  });

  it('are not looked for again where a coordinator before told them at once', () => {
    const { hosts, join } = twoRanges();
    join('b', ['server of a', 'server of b']);
    assert.equal(hosts.remembered(), true);
    assert.equal(hosts.restore(), false);
  });

  it('are not those of a list that has another length', () => {
    const { addresses, join } = twoRanges();
    join('a', ['server of x']);
    assert.deepEqual(addresses(), ['server of a']);
  });

  it('do not count as gone because others before them in their place were', () => {
    const { addresses, hosts, join, replaced } = twoRanges();
    join('new');
    hosts.away(0);
    hosts.refused(0);
    join('spare', ['server of a', 'server of b']);
    join('b');
    assert.deepEqual(addresses(), ['server of a', 'server of b']);
    assert.deepEqual(replaced, []);
  });

  it('are replaced at once by a spare one where nobody listens any more', () => {
    const { hosts, replaced, addresses } = filled();
    hosts.away(1);
    assert.deepEqual(replaced, []);
    hosts.refused(1);
    assert.deepEqual(replaced, [[1, 'server of c']]);
    assert.deepEqual(addresses(), ['server of a', 'server of c']);
  });

  it('are replaced when they have been silent for long', () => {
    const { clock, hosts, replaced } = filled();
    hosts.away(0);
    clock.advance(HOST_PATIENCE_MS - 1);
    assert.deepEqual(replaced, []);
    clock.advance(1);
    assert.deepEqual(replaced, [[0, 'server of c']]);
  });

  it('stay where they are if they are back in time', () => {
    const { clock, hosts, replaced } = filled();
    hosts.away(0);
    clock.advance(HOST_PATIENCE_MS - 1);
    hosts.back(0);
    clock.advance(HOST_PATIENCE_MS);
    assert.deepEqual(replaced, []);
  });

  it('wait for one to take their place, and for themselves until then', () => {
    const { hosts, join, replaced } = twoRanges();
    join('a');
    join('b');
    hosts.withdrawn('a');
    hosts.refused(0);
    hosts.withdrawn('b');
    hosts.refused(1);
    assert.deepEqual(replaced, []);
    hosts.back(1);
    join('c');
    assert.deepEqual(replaced, [[0, 'server of c']]);
    join('d');
    assert.equal(replaced.length, 1);
  });

  it('may be replaced again, and by who was cut off and has joined anew', () => {
    const { clock, hosts, join, replaced } = filled();
    hosts.refused(0);
    clock.advance(HOST_PATIENCE_MS);
    assert.deepEqual(replaced, [[0, 'server of c']]);
    join('a');
    assert.deepEqual(replaced.slice(1), [[0, 'server of a']]);
    hosts.back(0);
    clock.advance(HOST_PATIENCE_MS);
    assert.equal(replaced.length, 2);
  });

  it('are replaced by none whose worker is not admitted, once it is clear which job this is', () => {
    const { hosts, join, replaced } = twoRanges();
    join('a');
    join('b');
    hosts.identified();
    join('stranger');
    hosts.refused(1);
    join('c');
    assert.deepEqual(replaced, []);
    hosts.withdrawn('stranger');
    hosts.admitted('c', 'w2');
    assert.deepEqual(replaced, [[1, 'server of c']]);
  });

  it('are replaced by one whose worker was admitted before', () => {
    const { hosts, replaced } = filled();
    hosts.identified();
    hosts.admitted('c', 'w2');
    hosts.refused(1);
    assert.deepEqual(replaced, [[1, 'server of c']]);
  });

  it('hang with their workers: at once another takes the range', () => {
    const { hosts, replaced, dropped } = filled();
    hosts.hung('nobody');
    hosts.hung('c');
    assert.deepEqual([dropped, replaced], [[], []]);
    hosts.hung('b');
    assert.deepEqual([dropped, replaced], [[1], [[1, 'server of c']]]);
  });

  it('have the name of their worker, also when that is gone', () => {
    const { hosts, join } = twoRanges();
    join('a');
    assert.equal(hosts.workerOf('server of a'), undefined);
    hosts.admitted('a', 'w7');
    hosts.withdrawn('a');
    assert.equal(hosts.workerOf('server of a'), 'w7');
  });

  it('are not replaced by one whose worker has gone', () => {
    const { hosts, replaced } = filled();
    hosts.withdrawn('c');
    hosts.refused(1);
    assert.deepEqual(replaced, []);
  });
});
