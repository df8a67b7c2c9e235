import { describe, expect, it } from 'vitest';
import { parseSidecar } from './image-sidecar.ts';

const sidecar = {
  apiVersion: 'moored.dev/v1',
  driver: 'loop.moored.dev',
  volumeHandle: 'pvc-1',
  sizeBytes: '67108864',
  fsType: 'ext4',
  createdAt: '2026-01-01T00:00:00.000Z',
};

describe('parseSidecar', () => {
  it('accepts what moored writes', () => {
    expect(parseSidecar(JSON.stringify(sidecar))).toEqual({ kind: 'ours', sidecar });
  });

  it.each([
    ['', 'no JSON'],
    ['{"apiVersion": "moored.dev/v1"', 'no JSON'],
    ['null', 'no moored.dev/v1 sidecar'],
    ['[]', 'no moored.dev/v1 sidecar'],
    [JSON.stringify({ ...sidecar, apiVersion: 'moored.dev/v2' }), 'no moored.dev/v1 sidecar'],
    [JSON.stringify({ ...sidecar, volumeHandle: undefined }), 'no moored.dev/v1 sidecar'],
    [JSON.stringify({ ...sidecar, sizeBytes: 67108864 }), 'no moored.dev/v1 sidecar'],
    [JSON.stringify({ ...sidecar, sizeBytes: '0' }), 'no moored.dev/v1 sidecar'],
    [JSON.stringify({ ...sidecar, sizeBytes: '64Mi' }), 'no moored.dev/v1 sidecar'],
  ])('takes %j for somebody else’s', (text, reason) => {
    expect(parseSidecar(text)).toEqual({ kind: 'foreign', reason });
  });
});
