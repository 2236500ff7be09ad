# An image that runs pushbench from its repository. Not built or run where it was written: a test holds its
# Node against package.json, nothing more.
#
#   docker build -t pushbench .
#   mkdir -p results && docker run --rm --init -v "$PWD/results:/pushbench/results" pushbench npm start
#
# More in docs/containers.md: CPU quotas, descriptors, a results folder of another user.

# Empty for the whole Debian image, with git; the dev container takes that one.
ARG VARIANT=-slim
FROM node:26.10.0${VARIANT}

RUN mkdir /pushbench && chown node:node /pushbench
WORKDIR /pushbench
USER node
COPY --chown=node:node . .
# Installs what package-lock.json names, and shows that it starts.
RUN npm start -- --version

CMD ["npm", "start"]
