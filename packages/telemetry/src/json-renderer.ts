import { failureText } from './lines.js';
import { asRenderer, type Renderer, type RendererInit } from './renderer.js';

/**
 * One JSON object a line on stdout, and nothing else there. A failure is also told to the reader
 * of stderr. JSON has no NaN and no infinity: they become null.
 */
export function createJsonRenderer({ stdout, stderr }: RendererInit): Renderer {
  return asRenderer(
    (event) => {
      stdout.write(`${JSON.stringify(event)}\n`);
      if (event.event === 'failed') stderr.write(`${failureText(event)}\n`);
    },
    { note: (line) => stderr.write(`${line}\n`), close: () => {} },
  );
}
