import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { complianceCases } from './compliance.js';
import { createZmqTransport } from './zmq-transport.js';

describe('the ZeroMQ transport', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-'));
  after(() => rmSync(folder, { recursive: true }));
  let paths = 0;
  const addresses = {
    tcp: () => 'tcp://127.0.0.1:0',
    ipc: () => `ipc://${folder}/${++paths}`,
  };
  for (const [kind, freshAddress] of Object.entries(addresses)) {
    describe(`over ${kind}`, () => {
      for (const { name, run } of complianceCases) {
        it(name, () =>
          run({ listening: createZmqTransport(), connecting: createZmqTransport(), freshAddress }),
        );
      }
    });
  }
});
