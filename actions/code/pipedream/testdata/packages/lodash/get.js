module.exports = (o, path) => o[path];
