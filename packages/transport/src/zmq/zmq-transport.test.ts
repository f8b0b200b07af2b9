import { mkdtempSync, rmSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { complianceCases } from '../compliance.js';
import { createZmqTransport } from './zmq-transport.js';

const hasIpv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === '::1'),
);

describe('the ZeroMQ transport', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-'));
  after(() => rmSync(folder, { recursive: true }));
  let paths = 0;
  const addresses = {
    tcp: () => 'tcp://127.0.0.1:0',
    'tcp by the name localhost': () => 'tcp://localhost:0',
    ...(hasIpv6 ? { 'tcp over IPv6': () => 'tcp://[::1]:0' } : {}),
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
