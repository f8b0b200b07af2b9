/** The unit of what is written: a page of memory, which the kernel takes whole or not at all. */
export const PAGE_BYTES = 4096;

/**
 * Lines as whole pages, filled up with spaces. As long as all who append to a file write nothing else, no
 * line is torn, whoever is killed while writing.
 * @param lines of at most a page each, with its end of line
 */
export function pagesOf(lines: readonly string[]): Buffer {
  const pages: Buffer[] = [];
  let page = Buffer.alloc(PAGE_BYTES, ' ');
  let used = 0;
  const finish = () => {
    page.write('\n', PAGE_BYTES - 1);
    pages.push(page);
  };
  for (const line of lines) {
    const bytes = Buffer.byteLength(line);
    if (used + bytes > PAGE_BYTES) {
      finish();
      page = Buffer.alloc(PAGE_BYTES, ' ');
      used = 0;
    }
    page.write(line, used);
    used += bytes;
  }
  if (used > 0) finish();
  return Buffer.concat(pages);
}
