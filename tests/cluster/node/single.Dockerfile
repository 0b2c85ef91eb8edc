# An image with nothing but one static program.
FROM scratch
COPY program /program
ENTRYPOINT ["/program"]
