import { FuzzFinding, type FuzzLimits, type FuzzReport, fuzz } from './fuzz-report.ts';
import { checkManifest } from './manifest-check.ts';
import { generateManifest } from './manifest-generator.ts';
import { Random } from './random.ts';

/** Bytes of the heap: what grows with every input is a leak, whatever the input. */
const mostHeap = 1024 * 1024 * 1024;

export function fuzzManifests(limits: FuzzLimits): Promise<FuzzReport> {
  return fuzz(limits, async (seed) => {
    const { text, isValid } = generateManifest(new Random(seed));
    try {
      checkManifest(text, isValid);
      const { heapUsed } = process.memoryUsage();
      if (heapUsed > mostHeap) throw new Error(`the heap has ${heapUsed} bytes`);
    } catch (error) {
      throw new FuzzFinding(error, text);
    }
    return text;
  });
}
