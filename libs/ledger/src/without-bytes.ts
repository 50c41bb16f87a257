import { type FunctionState } from '@cadastre/lifecycle';

/** A state for those who hold a hundred thousand of them and look at no config space. */
export function withoutBytes(state: FunctionState): FunctionState {
  if (state.kind === 'unregistered' || !state.observation?.facts.configSpace) return state;
  return { ...state, observation: { ...state.observation, facts: { ...state.observation.facts, configSpace: '' } } };
}
