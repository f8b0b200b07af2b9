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
import { acceptLane, offerLane, readOffer } from './lane.js';

const available = existsSync('/dev/shm');

/** Both ends of a lane; what one end sends for itself arrives at the other at once. */
function pair() {
  const offering = offerLane((frame) => void accepted.fetch([frame]))!;
  const accepted = acceptLane(offering.offer, (frame) => void offering.fetch([frame]))!;
  return { offering, accepted };
}

const unaccepted = () => assert.fail('accepted');
const placeOf = (offer: Uint8Array) => Buffer.from(offer.subarray(17)).toString();
const inodes = () => new Set(readdirSync('/dev/shm').map((name) => inodeOf(`/dev/shm/${name}`)));
const inodeOf = (path: string) => statSync(path, { throwIfNoEntry: false })?.ino;

/** Its first page, and its size. */
function copyLane(from: number, to: number) {
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
        const [, received] = to.fetch(frames)!;
        assert.equal(Buffer.compare(received!, payload(262_144, i)), 0);
      }
    offering.close();
    accepted.close();
  });

  it('leaves frames as they are when they are small, or nobody frees its room', () => {
    const { offering, accepted } = pair();
    const small = [header, payload(100, 1)];
    assert.equal(offering.stow(small), small);
    let stowed = 0;
    while (offering.stow([header, payload(1 << 20, 1)]).length === 3) stowed++;
    assert.equal(stowed, 32);
    offering.close();
    accepted.close();
    assert.equal(offering.stow(small), small);
  });

  it('never has a name: a process that is killed before it is accepted leaves nothing behind', async () => {
    const router = new Router({ linger: 0 });
    await router.bind('tcp://127.0.0.1:*');
    const connects = `
      import { createZmqTransport } from ${JSON.stringify(new URL('zmq-transport.ts', import.meta.url).href)};
      createZmqTransport().connect(${JSON.stringify(router.lastEndpoint)}, { message() {} });
    `;
    const args = ['--import', 'tsx', '--input-type=module', '--eval', connects];
    const child = spawn(process.execPath, args, { stdio: 'inherit' });
    try {
      const [, offer] = await router.receive();
      assert.ok(readOffer([offer!]));
      const { ino, nlink } = statSync(`/proc/${placeOf(offer!)}`);
      assert.equal(nlink, 0);
      assert.ok(!inodes().has(ino));
      const accepted = acceptLane(offer!, () => {});
      assert.ok(accepted, 'as long as it lives, another process can accept it');
      accepted.close();
      child.kill('SIGKILL');
      await once(child, 'exit');
      assert.ok(!inodes().has(ino));
      assert.equal(acceptLane(offer!, unaccepted), undefined);
    } finally {
      child.kill('SIGKILL');
      router.close();
    }
  });

  it('is not looked for in what is no such file: a pipe, a terminal, a file with a name', () => {
    const { offering, accepted } = pair();
    const other = (place: string) =>
      Buffer.concat([offering.offer.subarray(0, 17), Buffer.from(place)]);
    for (const fd of [0, 1, 2])
      assert.equal(acceptLane(other(`${process.pid}/fd/${fd}`), unaccepted), undefined);
    // The very bytes, but anybody could have put them there.
    const path = `/dev/shm/${randomUUID()}`;
    const copied = openSync(path, 'wx+', 0o600);
    try {
      const lane = openSync(`/proc/${placeOf(offering.offer)}`, 'r');
      copyLane(lane, copied);
      closeSync(lane);
      const place = `${process.pid}/fd/${copied}`;
      assert.equal(acceptLane(other(place), unaccepted), undefined);
      unlinkSync(path);
      const taken = acceptLane(other(place), () => {});
      assert.ok(taken, 'else it was refused for something else');
      taken.close();
    } finally {
      closeSync(copied);
    }
    offering.close();
    accepted.close();
  });

  it('tells of freed room along with payloads, and by itself only where none go back', () => {
    const own: Uint8Array[] = [];
    const offering = offerLane((frame) => own.push(frame))!;
    const accepted = acceptLane(offering.offer, (frame) => void offering.fetch([frame]))!;
    const startOf = (frames: Uint8Array[]) => Buffer.from(frames[1]!).readUInt32LE(0);
    for (let i = 0; i < 100; i++) {
      const up = accepted.stow([header, payload(1_000_000, i)]);
      assert.equal(startOf(up), 0, 'light use stays at the beginning');
      offering.fetch(up);
      accepted.fetch(offering.stow([header, payload(1_000_000, i)]));
    }
    assert.equal(own.length, 0);
    for (let i = 0; i < 100; i++) {
      offering.fetch(accepted.stow([header, payload(1_000_000, i)]));
      for (const frame of own.splice(0)) accepted.fetch([frame]);
      if (i === 98) assert.ok(startOf(accepted.stow([header, payload(20_000, i)])) < 4_000_000);
    }
    offering.close();
    accepted.close();
  });

  it('is not taken up by who cannot see the file, or sees another', () => {
    const offering = offerLane(() => {})!;
    assert.ok(readOffer([offering.offer]));
    const forged = Buffer.from(offering.offer);
    forged[3]! ^= 1;
    const elsewhere = Buffer.concat([
      offering.offer.subarray(0, 17),
      Buffer.from('../../etc/passwd'),
    ]);
    for (const offer of [forged, elsewhere, Buffer.of(1)])
      assert.equal(acceptLane(offer, unaccepted), undefined);
    // Not accepted: payloads stay in the socket's frames.
    assert.equal(offering.stow([header, payload(1 << 20, 1)]).length, 2);
    offering.close();
  });

  it('refuses a reference to what is not there', () => {
    const { offering, accepted } = pair();
    const reference = Buffer.alloc(12);
    reference.writeUInt32LE(32 * 1024 * 1024 - 4, 0);
    reference.writeUInt32LE(8, 4);
    assert.throws(() => accepted.fetch([header, reference, Buffer.alloc(0)]), {
      code: 'BAD_FRAME',
    });
    offering.close();
    accepted.close();
  });
});
