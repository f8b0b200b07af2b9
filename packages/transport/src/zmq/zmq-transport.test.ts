import { mkdtempSync, rmSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { complianceCases } from '../compliance.js';
import { createZmqTransport, type ZmqTransportOptions } from './zmq-transport.js';

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
  function complies(kind: string, freshAddress: () => string, options: ZmqTransportOptions = {}) {
    describe(`over ${kind}`, () => {
      for (const { name, run } of complianceCases) {
        it(name, () => {
          const [listening, connecting] = [
            createZmqTransport(options),
            createZmqTransport(options),
          ];
          return run({ listening, connecting, freshAddress });
        });
      }
    });
  }
  for (const [kind, freshAddress] of Object.entries(addresses)) complies(kind, freshAddress);
  const key = Buffer.alloc(32, 7);
  complies('tcp with a key', addresses.tcp, { key });
  complies('ipc with a key', addresses.ipc, { key });
  complies('tcp with a key, without shared memory', addresses.tcp, { key, sharedMemory: false });
});
