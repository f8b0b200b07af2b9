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
import { type Channel, createChannel } from './channel.js';
import { createOutbox, type Outbox } from './outbox.js';

const available = existsSync('/dev/shm');

/** One end of a channel, and what it writes its payloads into. */
interface End {
  readonly channel: Channel;
  readonly outbox: Outbox;
  /** The frames that it would send. */
  stow(frames: Uint8Array[]): Uint8Array[];
  /** Frames of the channel's own that it has sent. */
  readonly own: Uint8Array[];
  close(): void;
}

function end(outbox: Outbox, deliver: (frame: Uint8Array) => void, answers = false): End {
  const own: Uint8Array[] = [];
  const channel: Channel = createChannel(
    (frame) => {
      own.push(frame);
      deliver(frame);
    },
    () => answers && channel.offer(outbox),
  );
  return {
    channel,
    outbox,
    own,
    stow(frames) {
      const posted = channel.accepted ? outbox.post(frames[1]!, 1) : undefined;
      return posted === undefined ? frames : channel.refer(frames, posted);
    },
    close() {
      channel.close();
      outbox.close();
    },
  };
}

/** Both ends of a channel; what one end sends for itself arrives at the other at once. */
function pair() {
  const offering: End = end(createOutbox()!, (frame) => void accepted.channel.fetch([frame]));
  const accepted: End = end(createOutbox()!, (frame) => void offering.channel.fetch([frame]), true);
  offering.channel.offer(offering.outbox);
  return { offering, accepted };
}

/** Whether somebody takes up an offer of payloads at this place. */
function takesUp(place: Uint8Array): boolean {
  let answered = false;
  const channel = createChannel(
    () => {},
    () => {
      answered = true;
    },
  );
  channel.fetch([Buffer.concat([Buffer.of(1), place])]);
  channel.close();
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

(available ? describe : describe.skip)('channel', () => {
  it('carries payloads beside the frames, both ways, far beyond its size', () => {
    const { offering, accepted } = pair();
    for (let i = 0; i < 300; i++)
      for (const [from, to] of [
        [offering, accepted],
        [accepted, offering],
      ] as const) {
        const frames = from.stow([header, payload(262_144, i)]);
        assert.equal(frames.length, 3);
        const [, received] = to.channel.fetch(frames)!;
        assert.equal(Buffer.compare(received!, payload(262_144, i)), 0);
      }
    offering.close();
    accepted.close();
  });

  it('makes no room for a payload of somebody who never said where payloads are', () => {
    const reference = Buffer.alloc(16);
    reference.writeUInt32LE(1024 * 1024, 4);
    const { channel } = end(createOutbox()!, () => {});
    const place = () => assert.fail('asked for room');
    assert.throws(() => channel.fetch([header, reference, Buffer.alloc(0)], place), {
      code: 'BAD_FRAME',
    });
    channel.close();
  });

  it('carries one payload to several peers, written once, until the last has read it', () => {
    const shared = createOutbox()!;
    const peers = [1, 2, 3].map(() => {
      const peer: End = end(createOutbox()!, (frame) => void toPeer.channel.fetch([frame]));
      const toPeer: End = end(shared, (frame) => void peer.channel.fetch([frame]), true);
      peer.channel.offer(peer.outbox);
      return { peer, toPeer };
    });
    const startOf = (frames: Uint8Array[]) => Buffer.from(frames[1]!).readUInt32LE(0);
    const starts = [10, 20].map((value) => {
      const posted = shared.post(payload(262_144, value), peers.length)!;
      const sent = peers.map(({ toPeer }) => toPeer.channel.refer([header], posted));
      for (const [at, { peer, toPeer }] of peers.entries()) {
        // One is gone before it has read it.
        if (value === 20 && at === 2) {
          toPeer.channel.close();
          continue;
        }
        assert.equal(startOf(sent[at]!), posted.start);
        const [, received] = peer.channel.fetch(sent[at]!)!;
        assert.equal(Buffer.compare(received!, payload(262_144, value)), 0);
        assert.notEqual(shared.post(payload(262_144, 0), 1)!.start, posted.start, 'still in use');
        toPeer.channel.fetch([peer.channel.tellRead()!]);
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
    accepted.channel.close();
    const posted = accepted.outbox.post(payload(262_144, 2), 1)!;
    assert.equal(posted.start, Buffer.from(late[1]!).readUInt32LE(0), 'its room is used again');
    assert.throws(() => offering.channel.fetch(late), { code: 'BAD_FRAME' });
    offering.close();
    accepted.close();
  });

  it('leaves frames as they are when they are small, or nobody frees its room', () => {
    const { offering, accepted } = pair();
    const small = [header, payload(100, 1)];
    assert.equal(offering.stow(small), small);
    let stowed = 0;
    while (offering.stow([header, payload(1 << 20, 1)]).length === 3) stowed++;
    assert.equal(stowed, 255);
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
    const outbox = createOutbox()!;
    const token = outbox.place.subarray(0, 16);
    const takesUpAt = (path: string) => takesUp(Buffer.concat([token, Buffer.from(path)]));
    for (const fd of [0, 1, 2]) assert.ok(!takesUpAt(`${process.pid}/fd/${fd}`));
    // The very bytes, but anybody could have put them there.
    const path = `/dev/shm/${randomUUID()}`;
    const copied = openSync(path, 'wx+', 0o600);
    try {
      const original = openSync(`/proc/${pathOf(outbox.place)}`, 'r');
      copyShared(original, copied);
      closeSync(original);
      assert.ok(!takesUpAt(`${process.pid}/fd/${copied}`));
      unlinkSync(path);
      assert.ok(takesUpAt(`${process.pid}/fd/${copied}`), 'else it was refused for something else');
    } finally {
      closeSync(copied);
    }
    outbox.close();
  });

  it('tells of what was read along with something else, and by itself only where nothing goes back', () => {
    const { offering, accepted } = pair();
    const startOf = (frames: Uint8Array[]) => Buffer.from(frames[1]!).readUInt32LE(0);
    offering.own.length = 0;
    for (let i = 0; i < 100; i++) {
      const up = accepted.stow([header, payload(1_000_000, i)]);
      assert.equal(startOf(up), 0, 'light use stays at the beginning');
      offering.channel.fetch(up);
      accepted.channel.fetch([offering.channel.tellRead()!]);
    }
    assert.deepEqual(offering.own, []);
    assert.equal(offering.channel.tellRead(), undefined);
    for (let i = 0; i < 100; i++) {
      const up = accepted.stow([header, payload(1_000_000, i)]);
      assert.ok(startOf(up) < 6_000_000);
      offering.channel.fetch(up);
    }
    assert.ok(offering.own.length > 0 && offering.own.length <= 25);
    offering.close();
    accepted.close();
  });

  it('is not taken up by who cannot see the file, or sees another', () => {
    const outbox = createOutbox()!;
    const forged = Buffer.from(outbox.place);
    forged[3]! ^= 1;
    const elsewhere = Buffer.concat([
      outbox.place.subarray(0, 16),
      Buffer.from('../../etc/passwd'),
    ]);
    for (const place of [forged, elsewhere, Buffer.alloc(0)]) assert.ok(!takesUp(place));
    assert.ok(takesUp(outbox.place));
    // Not accepted: payloads stay in the socket's frames.
    const alone = end(outbox, () => {});
    alone.channel.offer(outbox);
    assert.equal(alone.stow([header, payload(1 << 20, 1)]).length, 2);
    alone.close();
  });

  it('refuses a reference to what is not there', () => {
    const { offering, accepted } = pair();
    const reference = Buffer.alloc(16);
    reference.writeUInt32LE(256 * 1024 * 1024 - 4, 0);
    reference.writeUInt32LE(8, 4);
    assert.throws(() => accepted.channel.fetch([header, reference, Buffer.alloc(0)]), {
      code: 'BAD_FRAME',
    });
    offering.close();
    accepted.close();
  });
});
