import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { Router } from 'zeromq';
import { createLane, type Lane } from './channel.js';
import { createOutgoing, type Outgoing } from './outbox.js';

const available = existsSync('/dev/shm');

/** One end of a lane, and what it writes its payloads into. */
interface End {
  readonly lane: Lane;
  readonly outgoing: Outgoing;
  /** The frames that it would send. */
  stow(frames: Uint8Array[]): Uint8Array[];
  /** Frames of the lane's own that it has sent. */
  readonly own: Uint8Array[];
  close(): void;
}

function end(outgoing: Outgoing, deliver: (frame: Uint8Array) => void, answers = false): End {
  const own: Uint8Array[] = [];
  const lane: Lane = createLane(
    (frame) => {
      own.push(frame);
      deliver(frame);
    },
    () => answers && lane.offer(outgoing),
  );
  return {
    lane,
    outgoing,
    own,
    stow(frames) {
      const posted = lane.accepted ? outgoing.post(frames[1]!, 1) : undefined;
      return posted === undefined ? frames : lane.refer(frames, posted);
    },
    close() {
      lane.close();
      outgoing.close();
    },
  };
}

/** Both ends of a lane; what one end sends for itself arrives at the other at once. */
function pair() {
  const offering: End = end(createOutgoing()!, (frame) => void accepted.lane.fetch([frame]));
  const accepted: End = end(createOutgoing()!, (frame) => void offering.lane.fetch([frame]), true);
  offering.lane.offer(offering.outgoing);
  return { offering, accepted };
}

/** Whether somebody takes up an offer of payloads at this place. */
function takesUp(place: Uint8Array): boolean {
  let answered = false;
  const lane = createLane(
    () => {},
    () => {
      answered = true;
    },
  );
  lane.fetch([Buffer.concat([Buffer.of(1), place])]);
  lane.close();
  return answered;
}

const pathOf = (place: Uint8Array) => Buffer.from(place.subarray(16)).toString();
const inodes = () => new Set(readdirSync('/dev/shm').map((name) => inodeOf(`/dev/shm/${name}`)));
const inodeOf = (path: string) => statSync(path, { throwIfNoEntry: false })?.ino;

/** Its first page, and its size. */
function copyShared(from: number, to: number) {
  const head = Buffer.alloc(4096);
  readSync(from, head, 0, head.length, 0);
  writeSync(to, head, 0, head.length, 0);
  ftruncateSync(to, fstatSync(from).size);
}

const header = Buffer.of(0x80);
const payload = (bytes: number, value: number) => new Uint8Array(bytes).fill(value);

(available ? describe : describe.skip)('lane', () => {
  it('carries payloads beside the frames, both ways, far beyond its size', () => {
    const { offering, accepted } = pair();
    for (let i = 0; i < 300; i++)
      for (const [from, to] of [
        [offering, accepted],
        [accepted, offering],
      ] as const) {
        const frames = from.stow([header, payload(262_144, i)]);
        assert.equal(frames.length, 3);
        const [, received] = to.lane.fetch(frames)!;
        assert.equal(Buffer.compare(received!, payload(262_144, i)), 0);
      }
    offering.close();
    accepted.close();
  });

  it('carries one payload to several peers, written once, until the last has read it', () => {
    const shared = createOutgoing()!;
    const peers = [1, 2, 3].map(() => {
      const peer: End = end(createOutgoing()!, (frame) => void toPeer.lane.fetch([frame]));
      const toPeer: End = end(shared, (frame) => void peer.lane.fetch([frame]), true);
      peer.lane.offer(peer.outgoing);
      return { peer, toPeer };
    });
    const startOf = (frames: Uint8Array[]) => Buffer.from(frames[1]!).readUInt32LE(0);
    const starts = [10, 20].map((value) => {
      const posted = shared.post(payload(262_144, value), peers.length)!;
      const sent = peers.map(({ toPeer }) => toPeer.lane.refer([header], posted));
      for (const [at, { peer, toPeer }] of peers.entries()) {
        // One is gone before it has read it.
        if (value === 20 && at === 2) {
          toPeer.lane.close();
          continue;
        }
        assert.equal(startOf(sent[at]!), posted.start);
        const [, received] = peer.lane.fetch(sent[at]!)!;
        assert.equal(Buffer.compare(received!, payload(262_144, value)), 0);
        assert.notEqual(shared.post(payload(262_144, 0), 1)!.start, posted.start, 'still in use');
        toPeer.lane.fetch([peer.lane.tellRead()!]);
      }
      return posted.start;
    });
    const again = shared.post(payload(262_144, 30), 1)!;
    assert.equal(again.start, starts[1]);
    for (const { peer, toPeer } of peers) {
      peer.close();
      toPeer.close();
    }
  });

  it('never gives what was written over since, to one that was thought to be gone', () => {
    const { offering, accepted } = pair();
    const late = accepted.stow([header, payload(262_144, 1)]);
    accepted.lane.close();
    const posted = accepted.outgoing.post(payload(262_144, 2), 1)!;
    assert.equal(posted.start, Buffer.from(late[1]!).readUInt32LE(0), 'its room is used again');
    assert.throws(() => offering.lane.fetch(late), { code: 'BAD_FRAME' });
    offering.close();
    accepted.close();
  });

  it('leaves frames as they are when they are small, or nobody frees its room', () => {
    const { offering, accepted } = pair();
    const small = [header, payload(100, 1)];
    assert.equal(offering.stow(small), small);
    let stowed = 0;
    while (offering.stow([header, payload(1 << 20, 1)]).length === 3) stowed++;
    assert.equal(stowed, 31);
    offering.close();
    accepted.close();
    const large = [header, payload(1 << 20, 1)];
    assert.equal(offering.stow(large), large);
  });

  it('never has a name: a process that is killed before it is accepted leaves nothing behind', async () => {
    const router = new Router({ linger: 0 });
    await router.bind('tcp://127.0.0.1:*');
    const connects = `
      import { createZmqTransport } from ${JSON.stringify(new URL('../zmq/zmq-transport.ts', import.meta.url).href)};
      createZmqTransport().connect(${JSON.stringify(router.lastEndpoint)}, { message() {} });
    `;
    const args = ['--import', 'tsx', '--input-type=module', '--eval', connects];
    const child = spawn(process.execPath, args, { stdio: 'inherit' });
    try {
      const [, offer] = await router.receive();
      assert.equal(offer![0], 1);
      const place = offer!.subarray(1);
      const { ino, nlink } = statSync(`/proc/${pathOf(place)}`);
      assert.equal(nlink, 0);
      assert.ok(!inodes().has(ino));
      assert.ok(takesUp(place), 'as long as it lives, another process can accept it');
      child.kill('SIGKILL');
      await once(child, 'exit');
      assert.ok(!inodes().has(ino));
      assert.ok(!takesUp(place));
    } finally {
      child.kill('SIGKILL');
      router.close();
    }
  });

  it('is not looked for in what is no such file: a pipe, a terminal, a file with a name', () => {
    const outgoing = createOutgoing()!;
    const token = outgoing.place.subarray(0, 16);
    const takesUpAt = (path: string) => takesUp(Buffer.concat([token, Buffer.from(path)]));
    for (const fd of [0, 1, 2]) assert.ok(!takesUpAt(`${process.pid}/fd/${fd}`));
    // The very bytes, but anybody could have put them there.
    const path = `/dev/shm/${randomUUID()}`;
    const copied = openSync(path, 'wx+', 0o600);
    try {
      const original = openSync(`/proc/${pathOf(outgoing.place)}`, 'r');
      copyShared(original, copied);
      closeSync(original);
      assert.ok(!takesUpAt(`${process.pid}/fd/${copied}`));
      unlinkSync(path);
      assert.ok(takesUpAt(`${process.pid}/fd/${copied}`), 'else it was refused for something else');
    } finally {
      closeSync(copied);
    }
    outgoing.close();
  });

  it('tells of what was read along with something else, and by itself only where nothing goes back', () => {
    const { offering, accepted } = pair();
    const startOf = (frames: Uint8Array[]) => Buffer.from(frames[1]!).readUInt32LE(0);
    offering.own.length = 0;
    for (let i = 0; i < 100; i++) {
      const up = accepted.stow([header, payload(1_000_000, i)]);
      assert.equal(startOf(up), 0, 'light use stays at the beginning');
      offering.lane.fetch(up);
      accepted.lane.fetch([offering.lane.tellRead()!]);
    }
    assert.deepEqual(offering.own, []);
    assert.equal(offering.lane.tellRead(), undefined);
    for (let i = 0; i < 100; i++) {
      const up = accepted.stow([header, payload(1_000_000, i)]);
      assert.ok(startOf(up) < 6_000_000);
      offering.lane.fetch(up);
    }
    assert.ok(offering.own.length > 0 && offering.own.length <= 25);
    offering.close();
    accepted.close();
  });

  it('is not taken up by who cannot see the file, or sees another', () => {
    const outgoing = createOutgoing()!;
    const forged = Buffer.from(outgoing.place);
    forged[3]! ^= 1;
    const elsewhere = Buffer.concat([
      outgoing.place.subarray(0, 16),
      Buffer.from('../../etc/passwd'),
    ]);
    for (const place of [forged, elsewhere, Buffer.alloc(0)]) assert.ok(!takesUp(place));
    assert.ok(takesUp(outgoing.place));
    // Not accepted: payloads stay in the socket's frames.
    const alone = end(outgoing, () => {});
    alone.lane.offer(outgoing);
    assert.equal(alone.stow([header, payload(1 << 20, 1)]).length, 2);
    alone.close();
  });

  it('refuses a reference to what is not there', () => {
    const { offering, accepted } = pair();
    const reference = Buffer.alloc(16);
    reference.writeUInt32LE(32 * 1024 * 1024 - 4, 0);
    reference.writeUInt32LE(8, 4);
    assert.throws(() => accepted.lane.fetch([header, reference, Buffer.alloc(0)]), {
      code: 'BAD_FRAME',
    });
    offering.close();
    accepted.close();
  });
});
