export default { scenario: { iterationInTest: 4 }, test: { abort: (why) => { throw new Error(why); } } };
