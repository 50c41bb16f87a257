import { readFile } from 'node:fs/promises';
import { Controller, Get, Header, Param } from '@nestjs/common';
import { EdgeProblem, edgeProblems } from './edge-problem.js';
import { refusalProblems } from './refusal-problems.js';

/** The pages lie in docs/problems, three folders above this file, built or not. */
const pages = new URL('../../../../docs/problems/', import.meta.url);

/** Every code this server can answer with. */
export const problemCodes: readonly string[] = [...Object.keys(refusalProblems), ...Object.keys(edgeProblems)];

@Controller('problems')
export class ProblemsController {
  /** The page a problem's `type` names: what happened, and what to do next. */
  @Get(':code')
  @Header('content-type', 'text/markdown; charset=utf-8')
  page(@Param('code') code: string): Promise<string> {
    if (!problemCodes.includes(code)) throw new EdgeProblem('not-found', `there is no problem ${code.slice(0, 80)}`);
    return readFile(new URL(`${code}.md`, pages), 'utf8');
  }
}
