import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { tutti } from '../testing.js';

describe('the server of a coordinator', () => {
  it('says whose port is taken where only the coordinator was given one', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    try {
      const { port } = other.address() as AddressInfo;
      const listen = `tcp://127.0.0.1:${port - 1}`;
      const { code, stderr } = await tutti(['coordinator', '--listen', listen]);
      assert.equal(code, 1);
      assert.match(stderr, /^error ADDRESS_UNAVAILABLE: /);
      assert.ok(stderr.includes(`the server of the coordinator at ${listen} would listen`), stderr);
    } finally {
      other.close();
    }
  });

  it('names the address that was given where it would be open to everybody', async () => {
    const { code, stderr } = await tutti(['coordinator', '--listen', 'tcp://*:29500']);
    assert.equal(code, 2);
    assert.match(stderr, /coordinator at tcp:\/\/\*:29500 .*\n.*--key-file/);
  });
});
