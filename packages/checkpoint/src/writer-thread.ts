import { parentPort } from 'node:worker_threads';
import { errorToRecord } from '@tutti/runtime';
import { writeCheckpoint } from './write-checkpoint.js';
import type { WriteReply, WriteRequest } from './writer.js';

const port = parentPort!;
port.on('message', (request: WriteRequest) => {
  writeCheckpoint(request).then(
    (written) => port.postMessage({ written } satisfies WriteReply),
    (error) => port.postMessage({ error: errorToRecord(error) } satisfies WriteReply),
  );
});
