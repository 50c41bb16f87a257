/**
 * The form of the states that deciders fold to, when they are kept as text. Raise it with every change of what a state
 * holds or of how an event changes it: states of another form are folded anew.
 */
export const stateForm = 10;
