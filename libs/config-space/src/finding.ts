import { type CapabilitySpace } from './catalogue/capability-row.js';

/**
 * Something a survey noticed that a careful reader must know. Devices lie: a finding is never an exception.
 * Offsets and lengths are bytes into config space.
 */
export type Finding =
  | { readonly kind: 'capture-truncated'; readonly capturedBytes: number; readonly sizeBytes: number }
  | { readonly kind: 'all-ones'; readonly offset: number; readonly length: number }
  | { readonly kind: 'extended-space-all-ones' }
  | { readonly kind: 'extended-without-express' }
  | { readonly kind: 'aliases-low-space'; readonly offset: number; readonly length: number }
  | { readonly kind: 'list-not-announced'; readonly pointer: number }
  | { readonly kind: 'pointer-reserved-bits'; readonly space: CapabilitySpace; readonly at: number;
      readonly pointer: number }
  | { readonly kind: 'pointer-below-space'; readonly space: CapabilitySpace; readonly at: number;
      readonly pointer: number; readonly least: number }
  | { readonly kind: 'capability-list-loops'; readonly space: CapabilitySpace; readonly at: number;
      readonly pointer: number }
  | { readonly kind: 'list-goes-backwards'; readonly space: CapabilitySpace; readonly at: number;
      readonly pointer: number }
  | { readonly kind: 'header-all-ones'; readonly space: CapabilitySpace; readonly offset: number }
  | { readonly kind: 'header-zero'; readonly space: CapabilitySpace; readonly offset: number }
  | { readonly kind: 'header-not-captured'; readonly space: CapabilitySpace; readonly offset: number }
  | { readonly kind: 'capability-cut'; readonly space: CapabilitySpace; readonly id: number; readonly offset: number;
      readonly length: number; readonly capturedBytes: number }
  | { readonly kind: 'capability-unknown'; readonly space: CapabilitySpace; readonly id: number;
      readonly offset: number }
  | { readonly kind: 'capability-too-short'; readonly space: CapabilitySpace; readonly id: number;
      readonly offset: number; readonly length: number; readonly least: number }
  | { readonly kind: 'capability-passes-end'; readonly space: CapabilitySpace; readonly id: number;
      readonly offset: number; readonly length: number; readonly end: number }
  | { readonly kind: 'capability-overlaps'; readonly space: CapabilitySpace; readonly id: number;
      readonly offset: number; readonly length: number; readonly nextStart: number }
  | { readonly kind: 'unlinked-capability'; readonly id: number; readonly offset: number; readonly length: number;
      readonly strong: boolean }
  | { readonly kind: 'dpc-log-size-zero'; readonly offset: number }
  | { readonly kind: 'vf-lists-shared-capability'; readonly id: number; readonly name: string;
      readonly offset: number };
