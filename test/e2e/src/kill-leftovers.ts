import { afterAll } from '@jest/globals';
import { killLeftovers } from './ledger-process.js';

afterAll(() => killLeftovers());
